/** What every ResponseCache guarantees, for the tests of its adapters. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CachedResponse, ResponseCache } from './response-cache.ts'

export interface ResponseCacheBounds {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly maxEntryBytes: number
}

/** An empty cache of these bounds with its own clock, Unix milliseconds. */
export type OpenResponseCache = (bounds: ResponseCacheBounds, now: () => number) => ResponseCache

const roomy: ResponseCacheBounds = { maxEntries: 100, maxBytes: 1_000_000, maxEntryBytes: 100_000 }

export function cachedResponse(own: Partial<CachedResponse> = {}): CachedResponse {
  return {
    status: 200,
    headers: ['content-type', 'application/json'],
    body: new TextEncoder().encode('{"n":1}'),
    answeredAt: 0,
    source: { deploymentId: 'dep_1', host: 'api.example.com', region: 'eu', model: 'm' },
    ...own,
  }
}

export function findIn(cache: ResponseCache, key: string): Promise<CachedResponse | null> {
  return new Promise((resolve) => cache.find(key, resolve))
}

/** Run the suite. */
export function responseCacheContract(name: string, open: OpenResponseCache): void {
  test(`${name}: what was kept is found, byte for byte, under its key alone`, async () => {
    const cache = open(roomy, () => 0)
    const body = Uint8Array.from({ length: 256 }, (_, at) => at)
    cache.keep('a', cachedResponse({ body }), 1000)
    const found = await findIn(cache, 'a')
    assert.deepEqual(found && { ...found, body: Buffer.from(found.body) }, {
      ...cachedResponse(),
      body: Buffer.from(body),
    })
    for (const key of ['b', '', 'A', 'a\u0000', '__proto__'])
      assert.equal(await findIn(cache, key), null, key)
  })

  test(`${name}: what is kept again replaces what was there`, async () => {
    const cache = open(roomy, () => 5)
    cache.keep('a', cachedResponse({ status: 200 }), 1000)
    cache.keep('a', cachedResponse({ status: 201, answeredAt: 5 }), 1000)
    assert.equal((await findIn(cache, 'a'))?.status, 201)
  })

  test(`${name}: an answer is gone when its time is over`, async () => {
    let now = 100
    const cache = open(roomy, () => now)
    cache.keep('a', cachedResponse({ answeredAt: 100 }), 50)
    now = 149
    assert.notEqual(await findIn(cache, 'a'), null)
    now = 150
    assert.equal(await findIn(cache, 'a'), null)
    cache.keep('late', cachedResponse({ answeredAt: 10 }), 50)
    assert.equal(await findIn(cache, 'late'), null, 'its time was over before it came')
  })

  test(`${name}: an answer that is too large is not kept`, async () => {
    const cache = open({ ...roomy, maxEntryBytes: 1000 }, () => 0)
    cache.keep('a', cachedResponse({ body: new Uint8Array(1001) }), 1000)
    assert.equal(await findIn(cache, 'a'), null)
  })

  test(`${name}: property: entries and bytes stay within their bounds, and the last one kept is there`, async () => {
    const bounds = { maxEntries: 5, maxBytes: 10_000, maxEntryBytes: 4000 }
    const answers = fc.array(
      fc.record({ key: fc.constantFrom(...'abcdefghij'), bytes: fc.integer({ min: 0, max: 3000 }) }),
      { minLength: 1, maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(answers, async (list) => {
        const cache = open(bounds, () => 0)
        for (const { key, bytes } of list)
          cache.keep(key, cachedResponse({ body: new Uint8Array(bytes) }), 1000)
        const found = await Promise.all([...'abcdefghij'].map((key) => findIn(cache, key)))
        const kept = found.filter((one) => one !== null)
        assert.ok(kept.length <= bounds.maxEntries)
        assert.ok(kept.reduce((sum, { body }) => sum + body.byteLength, 0) <= bounds.maxBytes)
        assert.notEqual(await findIn(cache, list.at(-1)?.key ?? ''), null)
      }),
      { numRuns: 100 },
    )
  })
}
