/** What callers read whose requests never become an exchange, and of failures that are rare. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { makeToken } from '../admin/secrets.ts'
import { Fault } from '../kernel/fault.ts'
import { startRig } from './harness/gateway-rig.ts'
import { type StartedGateway, startGateway, testDeployment, testRoute } from './harness/start-gateway.ts'
import { testLimit } from './harness/test-limit.ts'
import { refusalFault } from './limits/limit-faults.ts'

async function start(t: TestContext, bounds: object = {}): Promise<StartedGateway> {
  const started = await startGateway({ bounds })
  t.after(() => started.stop())
  return started
}

/** Sends bytes as they are and reads until the other side closes. */
function exchangeBytes({ url }: StartedGateway, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes))
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no end after: ${text}`)))
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

const expectRefusal = (answer: string, status: number, code: string) => {
  assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
  assert.ok(answer.includes(`"code":"${code}"`), answer)
}

test('what is no HTTP, or not the HTTP that is served, is told so', async (t) => {
  const started = await start(t, { headerBytes: 1024 })
  const refusals = [
    ['GET /livez HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n', 400, 'request.malformed-http'],
    [`GET /livez HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(2000)}\r\n\r\n`, 431, 'request.headers-too-large'],
    ['POST /livez HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n', 501, 'request.not-implemented'],
    ['GET /livez HTTP/1.2\r\nhost: a\r\n\r\n', 505, 'request.http-version'],
  ] as const
  for (const [bytes, status, code] of refusals)
    expectRefusal(await exchangeBytes(started, bytes), status, code)
})

const head = ({ apiKey }: StartedGateway, framing: string) =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${apiKey}\r\n` +
  `content-type: application/json\r\nconnection: close\r\n${framing}\r\n\r\n`

test('a body that does not come, or is not framed as HTTP demands, is told so', async (t) => {
  const started = await start(t, { bodyTimeoutMs: 200 })
  const late = await exchangeBytes(started, `${head(started, 'content-length: 100')}{"model":`)
  expectRefusal(late, 408, 'request.body-timeout')
  const wrong = await exchangeBytes(started, `${head(started, 'transfer-encoding: chunked')}zz\r\n`)
  expectRefusal(wrong, 400, 'request.body-malformed')
})

test('a method that a path does not know names those that it knows', async (t) => {
  const started = await start(t)
  const answer = await exchangeBytes(
    started,
    'DELETE /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
  )
  expectRefusal(answer, 405, 'request.method-not-allowed')
  assert.match(answer, /\r\nallow: POST\r\n/i)
})

test('a connection too many is told so', async (t) => {
  const full = await start(t, { connections: 1 })
  const first = connect(Number(new URL(full.url).port), '127.0.0.1')
  t.after(() => first.destroy())
  await new Promise((resolve) => setTimeout(resolve, 100))
  expectRefusal(await exchangeBytes(full, ''), 503, 'capacity.too-many-connections')
})

test('a host that names a forbidden address is not called, and the caller does not learn which', async (t) => {
  const rig = await startRig(() => ({
    deployments: [
      testDeployment({
        id: 'inner',
        providerId: 'openai',
        baseUrl: 'https://localhost',
        secrets: { apiKey: 'sk-test-0001' },
        allowPrivateNetwork: false,
      }),
    ],
    routes: [testRoute('gpt', ['inner'])],
  }))
  t.after(() => rig.stop())
  const answer = await rig.chat()
  assert.deepEqual([answer.status, answer.faultCode], [502, 'upstream.egress-denied'])
  assert.doesNotMatch(answer.text, /localhost|127\.0/)
})

test('a limit that cannot be counted refuses with its own code', () => {
  const rule = testLimit({ id: 'rpm', amount: 1 })
  const fault = refusalFault({ rule, cause: 'unavailable', retryAfterMs: null, standings: [] } as never)
  assert.deepEqual([fault.code, fault.status, fault.retryAfterSeconds], ['limits.unavailable', 503, 1])
})

test('no secret is made while the pepper that would guard it is missing', () => {
  assert.throws(
    () => makeToken({ current: 2, compiled: new Map() }),
    (error) => error instanceof Fault && error.code === 'auth.unavailable',
  )
})
