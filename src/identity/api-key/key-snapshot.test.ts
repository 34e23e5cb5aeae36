import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openFileSecretBox } from '../../adapters/file-secret-box/open-file-secret-box.ts'
import { openSqliteStore } from '../../adapters/sqlite/open-sqlite-store.ts'
import { sampleKey } from '../../ports/store.contract-samples.ts'
import { mintApiKey } from './api-key-text.ts'
import { snapshotKey, snapshotKeys } from './key-snapshot.ts'
import { openPeppers, rotatePepper } from './open-peppers.ts'
import { hashApiKey, verifyApiKey } from './secret-hash.ts'

const directory = mkdtempSync(join(tmpdir(), 'gatewright-peppers-'))
after(() => rmSync(directory, { recursive: true }))

const now = 1_700_000_000_000
const key = sampleKey('org_a', 'app_a', 'k1')
const live = { keyId: key.keyId, version: 2, hash: 'h', pepperVersion: 1, createdAt: 0, expiresAt: null }

test('workers get live secrets of active keys and nothing else', () => {
  const ended = { ...live, version: 1, expiresAt: now }
  const snapshot = snapshotKey({ key, secrets: [live, ended] }, now)
  assert.deepEqual(snapshot?.secrets, [{ hash: 'h', pepperVersion: 1, expiresAt: null }])
  assert.equal(snapshotKey({ key: { ...key, state: 'revoked' }, secrets: [live] }, now), null)
  assert.equal(snapshotKey({ key, secrets: [ended] }, now), null)
})

test('revoked and deleted keys are removals', () => {
  const revoked = { ...key, keyId: 'other', state: 'revoked' as const }
  const upsert = [
    { key, secrets: [live] },
    { key: revoked, secrets: [] },
  ]
  const message = snapshotKeys({ version: 9, more: false, upsert, remove: ['gone'] }, { now, reset: false })
  assert.equal(message.type, 'keys')
  assert.deepEqual(message.type === 'keys' && message.remove, ['gone', 'other'])
  assert.equal(message.type === 'keys' && message.upsert.length, 1)
})

test('peppers are made once, sealed in the store, and old secrets verify after a rotation', async () => {
  const { store, close } = await openSqliteStore({ path: ':memory:' })
  const box = openFileSecretBox({ path: join(directory, 'root.key') })
  const [first, same] = await Promise.all([openPeppers(store, box), openPeppers(store, box)])
  assert.deepEqual(first.encoded, same.encoded)
  assert.equal(first.current, 1)
  const stored = JSON.stringify(await store.settings.get('api-key-peppers'))
  assert.ok(!stored.includes(first.encoded['1'] ?? 'absent'))
  const rotated = await rotatePepper(store, box)
  assert.equal(rotated.current, 2)
  assert.equal(rotated.encoded['1'], first.encoded['1'])
  const { text } = mintApiKey('live')
  const pepper = first.compiled.get(1)
  assert.ok(pepper !== undefined)
  const secrets = [{ hash: hashApiKey(text, pepper), pepperVersion: 1, expiresAt: null }]
  assert.equal(verifyApiKey(text, { secrets }, { peppers: rotated.compiled, now }), true)
  await close()
})
