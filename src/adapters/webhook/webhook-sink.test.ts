import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { sampleEvent } from '../../delivery/harness/sample-event.ts'
import { createEgressGuard } from '../../egress/index.ts'
import { signWebhook } from '../../kernel/webhook-signature.ts'
import { createHttp1Client } from '../http1/client.ts'
import { createWebhookSink } from './webhook-sink.ts'

const secret = 'secret-of-the-receiver'
const now = 1_800_000_000_000
const batch = ['a', 'b', 'c'].map((id) => sampleEvent({ id }))
const signal = new AbortController().signal

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A sink before a receiver that answers so; null: it does not. */
async function start(t: TestContext, answer: Answer | null, key: string | null = secret) {
  const bodies: { readonly body: string; readonly signature: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      bodies.push({ body, signature: String(request.headers['x-gatewright-signature']) })
      if (answer !== null) response.writeHead(answer.status, answer.headers).end('{"error":"ignored"}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = createHttp1Client({ egress: createEgressGuard() })
  t.after(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const sink = createWebhookSink({
    name: 'hook',
    client,
    secret: () => key,
    origin: { protocol: 'http:', host: '127.0.0.1', port, allowPrivateNetwork: true },
    path: '/in',
    now: () => now,
    timeoutMs: 5000,
    write: (event) => JSON.stringify(event),
  })
  return { sink, bodies }
}

test('a batch is one signed POST', async (t) => {
  const { sink, bodies } = await start(t, { status: 202 })
  const outcome = await sink.deliver(batch, signal)
  assert.deepEqual([outcome.retry, outcome.rejected, outcome.problem], [[], [], ''])
  const [{ body, signature } = { body: '', signature: '' }] = bodies
  assert.deepEqual(JSON.parse(body), { type: 'events', events: batch })
  assert.equal(signature, signWebhook(secret, body, now / 1000))
})

test('what each answer means', async (t) => {
  const all = [0, 1, 2]
  const date = new Date(now + 5000).toUTCString()
  const table = [
    [{ status: 503 }, { retry: all, retryAfterMs: null, tooLarge: false }],
    [
      { status: 429, headers: { 'retry-after': '7' } },
      { retry: all, retryAfterMs: 7000, tooLarge: false },
    ],
    [
      { status: 503, headers: { 'retry-after': date } },
      { retry: all, retryAfterMs: 5000, tooLarge: false },
    ],
    [
      { status: 429, headers: { 'retry-after': '-1' } },
      { retry: all, retryAfterMs: null, tooLarge: false },
    ],
    [{ status: 401 }, { retry: all, retryAfterMs: null, tooLarge: false }],
    [
      { status: 302, headers: { location: '/' } },
      { retry: all, retryAfterMs: null, tooLarge: false },
    ],
    [{ status: 413 }, { retry: [], retryAfterMs: null, tooLarge: true }],
    [{ status: 400 }, { retry: [], retryAfterMs: null, tooLarge: true }],
  ] as const
  for (const [answer, expected] of table) {
    const { sink } = await start(t, answer)
    const { problem, rejected, ...outcome } = await sink.deliver(batch, signal)
    assert.deepEqual(outcome, expected, `${answer.status}`)
    assert.equal(problem, `the receiver answered ${answer.status}`)
    assert.deepEqual(rejected, [])
  }
})

test('one event that is refused as malformed is rejected for good', async (t) => {
  const { sink } = await start(t, { status: 422 })
  const { rejected, tooLarge } = await sink.deliver(batch.slice(0, 1), signal)
  assert.deepEqual(rejected, [{ at: 0, reason: 'the receiver answered 422' }])
  assert.equal(tooLarge, false)
})

test('without its secret nothing is sent; a call that is given up is an outcome', async (t) => {
  const { sink, bodies } = await start(t, { status: 200 }, null)
  assert.deepEqual((await sink.deliver(batch, signal)).retry, [0, 1, 2])
  assert.equal(bodies.length, 0)
  const silent = await start(t, null)
  const giveUp = new AbortController()
  const delivered = silent.sink.deliver(batch, giveUp.signal)
  setTimeout(() => giveUp.abort(), 50)
  assert.deepEqual((await delivered).retry, [0, 1, 2])
})
