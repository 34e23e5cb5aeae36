import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { mintApiKey, mintApiKeySecret } from './api-key-text.ts'
import { compilePeppers, hashApiKey, type Pepper, verifyApiKey } from './secret-hash.ts'

const encoded = { '1': Buffer.alloc(32, 1).toString('base64'), '2': Buffer.alloc(32, 2).toString('base64') }
const peppers = compilePeppers(encoded)
const now = 1_700_000_000_000

function pepper(version: number): Pepper {
  const found = peppers.get(version)
  assert.ok(found !== undefined)
  return found
}

function secretOf(text: string, version: number, expiresAt: number | null = null) {
  return { hash: hashApiKey(text, pepper(version)), pepperVersion: version, expiresAt }
}

test('the hash is HMAC-SHA-256 of the whole text under the pepper, base64', () => {
  const { text } = mintApiKey('live')
  const expected = createHmac('sha256', Buffer.alloc(32, 1)).update(text).digest('base64')
  assert.equal(hashApiKey(text, pepper(1)), expected)
  assert.equal(hashApiKey(text, Buffer.alloc(32, 1)), expected)
})

test('during a rotation both secrets are valid, after the overlap only the new one', () => {
  const { text, keyId } = mintApiKey('live')
  const next = mintApiKeySecret('live', keyId)
  const key = { secrets: [secretOf(next, 2), secretOf(text, 1, now + 10)] }
  for (const live of [text, next]) assert.equal(verifyApiKey(live, key, { peppers, now }), true)
  assert.equal(verifyApiKey(text, key, { peppers, now: now + 10 }), false)
  assert.equal(verifyApiKey(next, key, { peppers, now: now + 10 }), true)
})

test('another secret of the same key id, another pepper or none at all is refused', () => {
  const { text, keyId } = mintApiKey('live')
  const terms = { peppers, now }
  assert.equal(verifyApiKey(mintApiKeySecret('live', keyId), { secrets: [secretOf(text, 1)] }, terms), false)
  assert.equal(verifyApiKey(text, { secrets: [{ ...secretOf(text, 1), pepperVersion: 2 }] }, terms), false)
  assert.equal(verifyApiKey(text, { secrets: [{ ...secretOf(text, 1), pepperVersion: 9 }] }, terms), false)
  assert.equal(verifyApiKey(text, { secrets: [] }, terms), false)
  assert.equal(verifyApiKey(text, { secrets: [{ ...secretOf(text, 1), hash: '' }] }, terms), false)
  assert.equal(verifyApiKey('', { secrets: [{ ...secretOf(text, 1), hash: '' }] }, terms), false)
})
