import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KeySnapshot, SnapshotConfig, SnapshotMessage } from '../domain/snapshot.ts'
import { createSnapshotCache } from './snapshot-cache.ts'

const key = (keyId: string, mark = ''): KeySnapshot => ({
  keyId,
  organizationId: mark,
  applicationId: 'app_a',
  environment: 'test',
  models: null,
  operations: null,
  cidrs: [],
  expiresAt: null,
  rotatedAt: 0,
  isQuarantined: false,
  secrets: [],
})
const config = (version: number): SnapshotMessage => ({
  type: 'config',
  config: { version } as SnapshotConfig,
})

/** The keys that someone knows who hears `messages`. */
function keysAfter(messages: readonly SnapshotMessage[]): Map<string, string> {
  const known = new Map<string, string>()
  for (const message of messages) {
    if (message.type !== 'keys') continue
    if (message.reset) known.clear()
    for (const each of message.upsert) known.set(each.keyId, each.organizationId)
    for (const keyId of message.remove) known.delete(keyId)
  }
  return known
}

test('nothing known, nothing replayed; the last configuration stands for all before it', () => {
  const cache = createSnapshotCache()
  assert.deepEqual(cache.replay(), [])
  cache.add(config(1))
  cache.add(config(2))
  assert.deepEqual(cache.replay(), [config(2)])
})

test('keys are replayed even where there are none: a worker waits for them before it listens', () => {
  const cache = createSnapshotCache()
  cache.add({ type: 'keys', version: 0, reset: true, upsert: [], remove: [] })
  assert.deepEqual(cache.replay(), [{ type: 'keys', version: 0, reset: true, upsert: [], remove: [] }])
})

test('property: a worker that starts late knows the keys that one from the beginning knows', () => {
  const keyId = fc.constantFrom('a', 'b', 'c', 'd')
  const message = fc.record({
    reset: fc.boolean(),
    upsert: fc.array(fc.tuple(keyId, fc.string({ maxLength: 2 })).map(([id, mark]) => key(id, mark))),
    remove: fc.array(keyId),
  })
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 20 }), (changes) => {
      const cache = createSnapshotCache()
      const messages = changes.map(
        (change, version): SnapshotMessage => ({ type: 'keys', version, ...change }),
      )
      for (const each of messages) cache.add(each)
      const [replayed] = cache.replay()
      assert.ok(replayed?.type === 'keys' && replayed.reset && replayed.version === changes.length - 1)
      assert.deepEqual(keysAfter([replayed]), keysAfter(messages))
    }),
  )
})
