import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mintApiKey, mintApiKeySecret } from './api-key-text.ts'
import { createKeyProof, digestKeyText } from './key-proof.ts'
import { compilePeppers, hashApiKey, type Peppers, type VerifiableKey } from './secret-hash.ts'

const peppers = compilePeppers({ 1: Buffer.alloc(32, 7).toString('base64') })
const pepper = peppers.get(1)
assert.ok(pepper)
const minted = mintApiKey('live')
const secretOf = (text: string, expiresAt: number | null) => ({
  hash: hashApiKey(text, pepper),
  pepperVersion: 1,
  expiresAt,
})

/** As a request is proven: from memory, else by the HMAC. */
function proofOf(key: VerifiableKey) {
  const proof = createKeyProof(key)
  return (text: string, under: Peppers, now: number): boolean => {
    const digest = digestKeyText(text)
    const terms = { peppers: under, now }
    return proof.recalls(digest, terms) || proof.proves(text, digest, terms)
  }
}

test('the right text is proven at first and from memory, any other never', () => {
  const proves = proofOf({ secrets: [secretOf(minted.text, null)] })
  const other = mintApiKeySecret('live', minted.keyId)
  for (let round = 0; round < 3; round += 1) {
    assert.equal(proves(minted.text, peppers, 1000), true)
    assert.equal(proves(other, peppers, 1000), false)
    assert.equal(proves(`${minted.text} `, peppers, 1000), false)
    assert.equal(proves('', peppers, 1000), false)
  }
})

test('a remembered secret that has ended opens nothing; its successor does', () => {
  const next = mintApiKeySecret('live', minted.keyId)
  const proves = proofOf({
    secrets: [secretOf(next, null), secretOf(minted.text, 2000)],
  })
  assert.equal(proves(minted.text, peppers, 1999), true)
  assert.equal(proves(minted.text, peppers, 2000), false)
  assert.equal(proves(next, peppers, 2000), true)
  assert.equal(proves(next, peppers, 2001), true)
})

test('a memory under other peppers counts for nothing', () => {
  const proves = proofOf({ secrets: [secretOf(minted.text, null)] })
  assert.equal(proves(minted.text, peppers, 1000), true)
  const changed = compilePeppers({ 1: Buffer.alloc(32, 8).toString('base64') })
  assert.equal(proves(minted.text, changed, 1000), false)
  assert.equal(proves(minted.text, compilePeppers({}), 1000), false)
})
