/** The webhook against a real server that verifies, refuses, or hangs. */
import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createHttp1Client } from '../adapters/http1/client.ts'
import type { LimitAlert } from '../domain/limit-alert.ts'
import { createEgressGuard } from '../egress/index.ts'
import { type AlertWebhook, createAlertWebhook } from './alert-webhook.ts'

const secret = 'very-secret-of-the-webhook'
const now = 1_800_000_000_000
const sample: LimitAlert = {
  id: 'alr_1',
  organizationId: 'org_a',
  limitId: 'ltm_a',
  limitName: 'budget',
  meter: 'cost',
  per: ['team'],
  subject: 'research',
  periodStartsAt: 1,
  threshold: 0.5,
  amount: 10_000_000,
  used: 5_500_000,
  at: 2,
}

interface Received {
  readonly body: string
  readonly isSigned: boolean
}

/** As a receiver would: recompute, compare, and refuse what is old. */
function isSigned(request: IncomingMessage, body: string): boolean {
  const [, seconds = '', given = ''] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['x-gatewright-signature'])) ?? []
  const wanted = createHmac('sha256', secret).update(`${seconds}.${body}`).digest()
  return Number(seconds) === now / 1000 && timingSafeEqual(wanted, Buffer.from(given, 'hex'))
}

interface Receiver {
  readonly received: Received[]
  readonly logged: string[]
  readonly webhook: AlertWebhook
}

/** `answer` gets the number of the request, from 1. */
async function receive(
  t: TestContext,
  answer: (response: ServerResponse, count: number) => void,
  own: { readonly allowPrivateNetwork?: boolean; readonly hasSecret?: boolean } = {},
): Promise<Receiver> {
  const received: Received[] = []
  const logged: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      received.push({ body, isSigned: isSigned(request, body) })
      answer(response, received.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = createHttp1Client({ egress: createEgressGuard() })
  const { port } = server.address() as AddressInfo
  const { allowPrivateNetwork = true, hasSecret = true } = own
  const webhook = createAlertWebhook({
    client,
    settings: () => ({ url: `http://127.0.0.1:${port}/alerts`, secret: 'env:HOOK', allowPrivateNetwork }),
    readReference: () => (hasSecret ? secret : null),
    now: () => now,
    log: (text) => logged.push(text),
    timeoutMs: 150,
    firstPauseMs: 4,
  })
  t.after(() => {
    webhook.close()
    client.close()
    server.closeAllConnections()
    server.close()
  })
  return { received, logged, webhook }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'not within 5 s')
    await sleep(5)
  }
}

test('an alert is posted once, signed', async (t) => {
  const { received, logged, webhook } = await receive(t, (response) => response.writeHead(204).end())
  webhook.send(sample)
  await until(() => received.length === 1)
  await sleep(50)
  assert.deepEqual(
    received.map((each) => each.isSigned),
    [true],
  )
  assert.deepEqual(JSON.parse(received[0]?.body ?? ''), {
    type: 'limit.alert',
    id: 'alr_1',
    organizationId: 'org_a',
    limit: { id: 'ltm_a', name: 'budget', meter: 'cost' },
    per: ['team'],
    subject: 'research',
    threshold: 0.5,
    amount: 10,
    used: 5.5,
    periodStartsAt: 1,
    at: 2,
  })
  assert.deepEqual(logged, [])
})

test('users and addresses are not sent', async (t) => {
  const { received, webhook } = await receive(t, (response) => response.end())
  webhook.send({ ...sample, per: ['team', 'user'], subject: 'research|ada@example.com' })
  await until(() => received.length === 1)
  assert.ok(!received[0]?.body.includes('ada'))
})

test('a receiver that refuses is tried again until it takes the alert', async (t) => {
  const { received, logged, webhook } = await receive(t, (response, count) => {
    response.writeHead(count < 3 ? 500 : 200).end('no')
  })
  webhook.send(sample)
  await until(() => received.length === 3)
  await sleep(100)
  assert.equal(received.length, 3)
  assert.ok(received.every((each) => each.isSigned))
  assert.deepEqual(logged, [])
})

test('one that hangs is given up after six attempts, and the log holds no secret and no address', async (t) => {
  const { received, logged, webhook } = await receive(t, () => {})
  webhook.send(sample)
  await until(() => logged.length === 1)
  assert.equal(received.length, 6)
  assert.match(logged[0] ?? '', /^The alert alr_1 was not delivered in 6 attempts: [a-z-]+-timeout\.$/)
  assert.ok(!logged[0]?.includes(secret))
})

test('the egress guard holds: no private address unless allowed; without a secret nothing is sent', async (t) => {
  for (const own of [{ allowPrivateNetwork: false }, { hasSecret: false }]) {
    const { received, logged, webhook } = await receive(t, (response) => response.end(), own)
    webhook.send(sample)
    await until(() => logged.length === 1)
    assert.equal(received.length, 0)
  }
})

test('many alerts wait in turn, and closing gives up what was not sent', async (t) => {
  const { received, webhook } = await receive(t, (response) => void setTimeout(() => response.end(), 5))
  for (let index = 0; index < 40; index += 1) webhook.send({ ...sample, id: `alr_${index}` })
  await until(() => received.length === 40)
  webhook.close()
  webhook.send(sample)
  await sleep(30)
  assert.equal(received.length, 40)
})
