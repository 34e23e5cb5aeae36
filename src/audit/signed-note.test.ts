import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { parseCheckpointText } from './checkpoint-text.ts'
import { mlDsaCheckpoint, mlDsaKey } from './harness/ml-dsa-vector.ts'
import { hashLeaf, rootOfHashes } from './merkle.ts'
import {
  formatVerifierKey,
  NoteError,
  openNote,
  parseNote,
  parseVerifierKey,
  signText,
  verifierKey,
} from './signed-note.ts'

const specKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const specNote =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'
const goKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const goNote =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
const tesseraKey = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'
const tesseraCheckpoints = [
  'example.com/log/testdata\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— example.com/log/testdata M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq89wVvTA60eubCc4oufo5BvIVEgtQc=\n',
  'example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n— example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n',
]
const tesseraEntries =
  'one two three four five six seven eit nain ten ileven twelf threeten fourten fivten'.split(' ')

test('the examples of the specification, of Go and of torchwood (ML-DSA-44) hold, and their keys come back as they were', () => {
  for (const [key, note] of [
    [specKey, specNote],
    [goKey, goNote],
    [mlDsaKey, mlDsaCheckpoint],
  ] as const) {
    assert.equal(formatVerifierKey(parseVerifierKey(key)), key)
    openNote(note, [parseVerifierKey(key)])
  }
})

test('the checkpoints of the Tessera test log hold, over the root of its entries', () => {
  for (const note of tesseraCheckpoints) {
    const { text } = openNote(note, [parseVerifierKey(tesseraKey)])
    const checkpoint = parseCheckpointText(text)
    assert.ok(checkpoint !== null)
    const leaves = tesseraEntries.slice(0, checkpoint.size).map((entry) => hashLeaf(Buffer.from(entry)))
    assert.deepEqual(rootOfHashes(leaves), checkpoint.root)
  }
})

test('no byte of a signed note can change', () => {
  for (const [key, note] of [
    [specKey, specNote],
    [mlDsaKey, mlDsaCheckpoint],
  ] as const) {
    const keys = [parseVerifierKey(key)]
    const bytes = Buffer.from(note)
    const step = Math.ceil(bytes.length / 400)
    for (let at = 0; at < bytes.length; at += step) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.throws(() => openNote(changed.toString('utf8'), keys), NoteError, `byte ${at}`)
    }
  }
})

test('what is no note or no key is refused', () => {
  for (const note of [
    '',
    'text\n',
    'text\n\n',
    '\n\n— a AAAAAAA=\n',
    'a\n\n- a AAAAAAA=\n',
    'a\n\n— a AAAAAAB=\n',
  ]) {
    assert.throws(() => parseNote(note), NoteError, JSON.stringify(note))
  }
  for (const key of [
    '',
    'a',
    'a+b',
    `${specKey}A`,
    specKey.replace('530d903a', '530d903b'),
    ' ',
    'a+00000000+AQ==',
  ]) {
    assert.throws(() => parseVerifierKey(key), NoteError, key)
  }
  assert.throws(() => openNote(specNote, []), NoteError)
  assert.throws(() => openNote(specNote, [parseVerifierKey(goKey)]), NoteError)
})

test('a checkpoint under both keys needs both', () => {
  const text = `example.org/log\n7\n${Buffer.alloc(32, 7).toString('base64')}\n`
  const pairs = [generateKeyPairSync('ed25519'), generateKeyPairSync('ml-dsa-44')]
  const keys = pairs.map(({ publicKey }) => verifierKey('example.org/log', publicKey))
  const time = Date.UTC(2026, 0, 1)
  const lines = pairs.map(({ privateKey }, at) => {
    const key = keys[at]
    return key === undefined ? '' : signText(text, key, { privateKey, time })
  })
  assert.equal(openNote(`${text}\n${lines.join('')}`, keys).text, text)
  for (const line of lines) assert.throws(() => openNote(`${text}\n${line}`, keys), NoteError)
  // A witness that nobody asked for does no harm.
  openNote(`${text}\n${lines.join('')}— example.org/witness AAAAAAA=\n`, keys)
})
