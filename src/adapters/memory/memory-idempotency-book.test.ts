import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claim, idempotencyContract } from '../../ports/idempotency.contract.ts'
import { createMemoryIdempotencyBook, defaultIdempotencyBounds } from './memory-idempotency-book.ts'

idempotencyContract('memory', () => createMemoryIdempotencyBook(Date.now))

const replyOf = (bytes: number) => ({ status: 200, headers: [], body: new Uint8Array(bytes) })
const keyOf = (key: string) => ({ scope: 'key_a', key, fingerprint: 'f1' })

test('replies and claims end after their time', async () => {
  let now = 0
  const book = createMemoryIdempotencyBook(() => now, { ...defaultIdempotencyBounds, ttlMs: 1000 })
  await claim(book, { key: 'done' })
  book.complete(keyOf('done'), replyOf(10))
  await claim(book, { key: 'lost' })
  now = 999
  assert.equal((await claim(book, { key: 'done' })).kind, 'done')
  assert.equal((await claim(book, { key: 'lost' })).kind, 'running')
  now = 1000
  assert.equal((await claim(book, { key: 'done' })).kind, 'claimed')
  assert.equal((await claim(book, { key: 'lost' })).kind, 'claimed')
})

test('entries and bytes are bounded; the oldest reply goes first', async () => {
  const book = createMemoryIdempotencyBook(Date.now, {
    ...defaultIdempotencyBounds,
    maxEntries: 3,
    maxBytes: 100,
  })
  for (const key of ['a', 'b', 'c']) {
    await claim(book, { key })
    book.complete(keyOf(key), replyOf(60))
  }
  assert.equal((await claim(book, { key: 'c' })).kind, 'done')
  assert.equal((await claim(book, { key: 'a' })).kind, 'claimed')
})

test('a request under way keeps its claim while there are replies to let go of', async () => {
  const book = createMemoryIdempotencyBook(Date.now, { ...defaultIdempotencyBounds, maxBytes: 100 })
  await claim(book, { key: 'running' })
  for (const key of ['a', 'b', 'c']) {
    await claim(book, { key })
    book.complete(keyOf(key), replyOf(80))
  }
  assert.equal((await claim(book, { key: 'running' })).kind, 'running')
})

test('a reply larger than all room is not kept, and lets nobody run beside it meanwhile', async () => {
  const book = createMemoryIdempotencyBook(Date.now, { ...defaultIdempotencyBounds, maxBytes: 100 })
  await claim(book, { key: 'small' })
  book.complete(keyOf('small'), replyOf(50))
  await claim(book, { key: 'large' })
  book.complete(keyOf('large'), replyOf(500))
  assert.equal((await claim(book, { key: 'large' })).kind, 'claimed')
})
