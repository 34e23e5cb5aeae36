import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { createTimerWheel } from '../../kernel/timer-wheel.ts'
import { claim, idempotencyContract } from '../../ports/idempotency.contract.ts'
import type { IdempotencyBook } from '../../ports/idempotency.ts'
import { createMemoryIdempotencyBook } from '../memory/memory-idempotency-book.ts'
import {
  createIdempotencyServer,
  createThreadIdempotencyBook,
  type IdempotencyAnswer,
  type IdempotencyRequest,
  type ThreadIdempotencyBook,
} from './thread-idempotency-book.ts'

const ports: MessagePort[] = []
after(() => {
  for (const port of ports) port.close()
})

/** Let `port` be served from `central`. */
function serve(central: IdempotencyBook, port: MessagePort): void {
  const server = createIdempotencyServer(central, (answer) => port.postMessage(answer))
  port.on('message', (request: IdempotencyRequest) => server.serve(request))
  port.on('close', () => server.close())
}

/** A worker's book over a message port; the other end is returned for who serves. */
function connected(): { readonly book: ThreadIdempotencyBook; readonly port: MessagePort } {
  const { port1, port2 } = new MessageChannel()
  const book = createThreadIdempotencyBook(createTimerWheel(5))
  book.connect((request) => port1.postMessage(request))
  port1.on('message', (answer: IdempotencyAnswer) => book.answer(answer))
  ports.push(port1)
  return { book, port: port2 }
}

idempotencyContract('across threads', () => {
  const { book, port } = connected()
  serve(createMemoryIdempotencyBook(Date.now), port)
  return book
})

test('without a control plane nobody can say', async () => {
  assert.deepEqual(await claim(createThreadIdempotencyBook(createTimerWheel(5))), { kind: 'unavailable' })
})

test('two workers share one book', async () => {
  const central = createMemoryIdempotencyBook(Date.now)
  const [first, second] = [connected(), connected()]
  for (const { port } of [first, second]) serve(central, port)
  assert.equal((await claim(first.book)).kind, 'claimed')
  assert.equal((await claim(second.book)).kind, 'running')
})

test('an answer that does not come in time is none, and a late one harms nothing', async () => {
  const sent: IdempotencyRequest[] = []
  const book = createThreadIdempotencyBook(createTimerWheel(5))
  book.connect((request) => sent.push(request))
  const keepAlive = setInterval(() => undefined, 1000)
  assert.deepEqual(await claim(book), { kind: 'unavailable' })
  clearInterval(keepAlive)
  const [request] = sent
  assert.ok(request?.type === 'idempotency-claim')
  book.answer({ type: 'idempotency-outcome', number: request.number, outcome: { kind: 'claimed' } })
  assert.deepEqual(
    sent.at(-1),
    { type: 'idempotency-abandon', claim: request.claim },
    'the claim is given back',
  )
})

test('what a worker had under way may run again once the worker is gone; what it completed stays', async () => {
  const central = createMemoryIdempotencyBook(Date.now)
  const { book, port } = connected()
  serve(central, port)
  await claim(book, { key: 'lost' })
  await claim(book, { key: 'done' })
  const reply = { status: 200, headers: [], body: new Uint8Array(1) }
  book.complete({ scope: 'key_a', key: 'done', fingerprint: 'f1' }, reply)
  await claim(book, { key: 'another' })
  ports.at(-1)?.close()
  await once(port, 'close')
  assert.equal((await claim(central, { key: 'lost' })).kind, 'claimed')
  assert.equal((await claim(central, { key: 'done' })).kind, 'done')
})
