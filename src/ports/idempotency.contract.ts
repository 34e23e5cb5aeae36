/** What every IdempotencyBook guarantees, for the tests of its adapters. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClaimOutcome, IdempotencyBook, IdempotencyClaim, RememberedReply } from './idempotency.ts'

const reply: RememberedReply = {
  status: 200,
  headers: ['content-type', 'application/json'],
  body: new TextEncoder().encode('{"n":1}'),
}
const claimOf = (own: Partial<IdempotencyClaim> = {}): IdempotencyClaim => ({
  scope: 'key_a',
  key: 'k1',
  fingerprint: 'f1',
  ...own,
})

/** Make a claim and wait for its outcome. */
export function claim(book: IdempotencyBook, own?: Partial<IdempotencyClaim>): Promise<ClaimOutcome> {
  return new Promise((resolve) => book.claim(claimOf(own), resolve))
}

/** Run the suite. `open` gives an empty book each time. */
export function idempotencyContract(
  name: string,
  open: () => IdempotencyBook | Promise<IdempotencyBook>,
): void {
  test(`${name}: the first claim runs, those beside it are told so`, async () => {
    const book = await open()
    assert.deepEqual(await claim(book), { kind: 'claimed' })
    assert.deepEqual(await claim(book), { kind: 'running' })
  })

  test(`${name}: a completed claim is replayed, byte for byte`, async () => {
    const book = await open()
    await claim(book)
    book.complete(claimOf(), reply)
    const outcome = await claim(book)
    assert.ok(outcome.kind === 'done')
    assert.deepEqual([outcome.reply.status, outcome.reply.headers], [reply.status, reply.headers])
    assert.deepEqual(Buffer.from(outcome.reply.body), Buffer.from(reply.body))
  })

  test(`${name}: an abandoned claim may run again`, async () => {
    const book = await open()
    await claim(book)
    book.abandon(claimOf())
    assert.deepEqual(await claim(book), { kind: 'claimed' })
  })

  test(`${name}: another request under the same key is a mismatch, running or done`, async () => {
    const book = await open()
    await claim(book)
    assert.deepEqual(await claim(book, { fingerprint: 'f2' }), { kind: 'mismatch' })
    book.complete(claimOf(), reply)
    assert.deepEqual(await claim(book, { fingerprint: 'f2' }), { kind: 'mismatch' })
  })

  test(`${name}: callers never see each other's replies, however keys and scopes are spelled`, async () => {
    const book = await open()
    await claim(book)
    book.complete(claimOf(), reply)
    assert.deepEqual(await claim(book, { scope: 'key_b' }), { kind: 'claimed' })
    assert.deepEqual(await claim(book, { scope: 'key', key: '_ak1' }), { kind: 'claimed' })
  })

  test(`${name}: what was completed or claimed by one is not ended by another`, async () => {
    const book = await open()
    await claim(book)
    book.abandon(claimOf({ fingerprint: 'f2' }))
    book.complete(claimOf({ fingerprint: 'f2' }), reply)
    assert.deepEqual(await claim(book), { kind: 'running' })
    book.complete(claimOf(), reply)
    book.abandon(claimOf())
    assert.equal((await claim(book)).kind, 'done')
  })

  test(`${name}: property: of claims at one time exactly one runs`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 30 }),
        async (keys) => {
          const book = await open()
          const outcomes = await Promise.all(
            keys.map(async (key) => ({ key, outcome: await claim(book, { key }) })),
          )
          for (const key of new Set(keys)) {
            const kinds = outcomes.filter((each) => each.key === key).map((each) => each.outcome.kind)
            assert.equal(kinds.filter((kind) => kind === 'claimed').length, 1)
            assert.ok(kinds.every((kind) => kind === 'claimed' || kind === 'running'))
          }
        },
      ),
      { numRuns: 50 },
    )
  })
}
