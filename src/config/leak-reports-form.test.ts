import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { githubKeysUrl, leakReportProblems } from './leak-reports-form.ts'

const pem = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }))
const p256 = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
const p384 = pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)
const ed25519 = pem(generateKeyPairSync('ed25519').publicKey)

const github = (own: object) => ({
  leakReports: {
    github: { publicKeys: [], publicKeysUrl: githubKeysUrl, allowPrivateNetwork: false, ...own },
    reporters: [],
  },
})
const reporters = (...list: readonly { name: string; secret?: string; publicKey?: string }[]) => ({
  leakReports: { reporters: list },
})
const paths = (config: Parameters<typeof leakReportProblems>[0]) =>
  leakReportProblems(config).map(({ path }) => path.join('.'))

test('keys of another kind, and addresses that may not be called, are refused by their place', () => {
  assert.deepEqual(paths(github({ publicKeys: [{ id: 'a', key: p256 }] })), [])
  for (const key of [p384, ed25519, 'none'])
    assert.deepEqual(paths(github({ publicKeys: [{ id: 'a', key }] })), [
      'leakReports.github.publicKeys.0.key',
    ])
  for (const publicKeysUrl of ['http://api.github.com/x', 'https://127.0.0.1/x', 'file:///etc/passwd'])
    assert.deepEqual(paths(github({ publicKeysUrl })), ['leakReports.github.publicKeysUrl'])
  assert.deepEqual(paths(github({ publicKeysUrl: null })), [])
})

test('a reporter has a name of its own and one way to prove itself', () => {
  const secret = 'env:CI'
  assert.deepEqual(paths(reporters({ name: 'ci', secret }, { name: 'intel', publicKey: ed25519 })), [])
  assert.deepEqual(paths(reporters({ name: 'ci' })), ['leakReports.reporters.0'])
  assert.deepEqual(paths(reporters({ name: 'ci', secret, publicKey: ed25519 })), ['leakReports.reporters.0'])
  assert.deepEqual(paths(reporters({ name: 'ci', publicKey: p256 })), ['leakReports.reporters.0.publicKey'])
  assert.deepEqual(paths(reporters({ name: 'ci', secret }, { name: 'ci', secret })), [
    'leakReports.reporters.1.name',
  ])
  assert.deepEqual(paths(reporters({ name: 'github', secret })), ['leakReports.reporters.0.name'])
})
