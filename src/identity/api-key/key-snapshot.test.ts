import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleKey } from '../../ports/store.contract-samples.ts'
import { snapshotKey, snapshotKeys } from './key-snapshot.ts'

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

test('workers keep a key in quarantine, to refuse it by name, and learn when its newest secret was made', () => {
  const held = { ...key, state: 'quarantined' as const, quarantine: { at: now, reason: 'leaked' as const } }
  const older = { ...live, version: 1, createdAt: 5, expiresAt: now + 1 }
  const snapshot = snapshotKey({ key: held, secrets: [{ ...live, createdAt: 9 }, older] }, now)
  assert.deepEqual([snapshot?.isQuarantined, snapshot?.rotatedAt], [true, 9])
  assert.equal(snapshotKey({ key, secrets: [live] }, now)?.isQuarantined, false)
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
