import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cachedResponse, findIn, responseCacheContract } from '../../ports/response-cache.contract.ts'
import { createMemoryResponseCache } from './memory-response-cache.ts'

responseCacheContract('memory', (bounds, now) => createMemoryResponseCache(now, bounds))

test('what was not asked for longest goes first', async () => {
  const bounds = { maxEntries: 2, maxBytes: 100_000, maxEntryBytes: 10_000 }
  const cache = createMemoryResponseCache(() => 0, bounds)
  cache.keep('a', cachedResponse(), 1000)
  cache.keep('b', cachedResponse(), 1000)
  await findIn(cache, 'a')
  cache.keep('c', cachedResponse(), 1000)
  assert.equal(await findIn(cache, 'b'), null)
  assert.notEqual(await findIn(cache, 'a'), null)
})

test('small answers are bounded in bytes, too: what keeping them costs counts', async () => {
  const bounds = { maxEntries: 100_000, maxBytes: 100_000, maxEntryBytes: 10_000 }
  const cache = createMemoryResponseCache(() => 0, bounds)
  for (let at = 0; at < 1000; at += 1) cache.keep(`k${at}`, cachedResponse({ body: new Uint8Array(0) }), 1000)
  let kept = 0
  for (let at = 0; at < 1000; at += 1) if ((await findIn(cache, `k${at}`)) !== null) kept += 1
  assert.ok(kept > 0 && kept < 100, `${kept} entries`)
})
