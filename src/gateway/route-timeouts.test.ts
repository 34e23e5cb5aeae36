import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { after, test } from 'node:test'
import type { UpstreamTimeouts } from '../domain/entities.ts'
import { type CallOptions, providerSecret, rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'

/** Accepts connections and says nothing: a TLS handshake with it never ends. */
const silent = createServer((socket) => socket.on('error', () => undefined))
await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
after(() => void silent.close())
const silentUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`

const patient: UpstreamTimeouts = { connectMs: 20_000, firstByteMs: 20_000, idleMs: 20_000, totalMs: 20_000 }
const route = (name: string, deployments: readonly string[], timeouts: Partial<UpstreamTimeouts>) => ({
  ...testRoute(name, deployments),
  timeouts,
})
const rig = rigForTests((upstream) => {
  const at = (id: string, own: object = {}) =>
    testDeployment({
      id,
      providerId: 'openai',
      baseUrl: upstream.url,
      secrets: { apiKey: providerSecret },
      timeouts: patient,
      ...own,
    })
  return {
    deployments: [
      at('main'),
      at('other'),
      at('silent', { baseUrl: silentUrl }),
      at('quick', { timeouts: { ...patient, firstByteMs: 150, idleMs: 300 } }),
    ],
    routes: [
      route('connect', ['silent'], { connectMs: 300 }),
      route('first-byte', ['main'], { firstByteMs: 300 }),
      route('idle', ['main'], { idleMs: 300 }),
      route('total', ['main'], { totalMs: 300 }),
      route('later', ['quick'], { firstByteMs: 600 }),
      route('none', ['quick'], {}),
      route('fallback', ['main', 'other'], { firstByteMs: 200 }),
      route('gpt', ['main'], {}),
    ],
  }
})

const chat = (model: string, own: object = {}): CallOptions => ({
  body: { model, messages: [{ role: 'user', content: 'sandbox: tokens=50' }], ...own },
})

/** Milliseconds that `work` took, checked to lie at `figure`; the upper margin leaves room for a busy machine. */
async function at<T>(figure: number, work: Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await work
  const tookMs = performance.now() - began
  assert.ok(tookMs >= figure - 20 && tookMs < figure + 1500, `${Math.round(tookMs)} ms instead of ${figure}`)
  return result
}

const figures = [
  ['connect', null, 'connect-timeout'],
  ['first-byte', { kind: 'hang' }, 'first-byte-timeout'],
  ['idle', { kind: 'stall', afterBytes: 10 }, 'idle-timeout'],
  ['total', { kind: 'drip', pieceBytes: 1, delayMs: 20 }, 'total-timeout'],
] as const

for (const [name, fault, kind] of figures) {
  test(`the ${name} timeout of a route ends the call at its figure with 504, before that of the deployment`, async () => {
    if (fault !== null) rig.upstream.failNext(fault)
    const answer = await at(300, rig.call('/v1/chat/completions', chat(name)))
    assert.deepEqual([answer.status, answer.faultCode], [504, 'upstream.timeout'])
    assert.ok(
      rig.started.notes.some((note) => note.internal.startsWith(kind)),
      JSON.stringify(rig.started.notes),
    )
    assert.equal(rig.started.gateway.open, 0)
  })
}

test('a longer timeout of a route goes before a shorter one of the deployment, for that route alone', async () => {
  rig.upstream.failAll({ kind: 'hang' })
  await at(600, rig.call('/v1/chat/completions', chat('later')))
  await at(150, rig.call('/v1/chat/completions', chat('none')))
})

test('what a route leaves out follows its deployment', async () => {
  rig.upstream.failNext({ kind: 'stall', afterBytes: 10 })
  const answer = await at(300, rig.call('/v1/chat/completions', chat('later')))
  assert.equal(answer.status, 504)
})

test('a timeout of a route that passes before the first byte asks the next deployment', async () => {
  rig.upstream.failNext({ kind: 'hang' })
  const answer = await at(200, rig.call('/v1/chat/completions', chat('fallback')))
  assert.deepEqual([answer.status, answer.headers['x-gatewright-deployment']], [200, 'other'])
})

test('silence beyond the timeout of a route within a stream ends it with an error event', async () => {
  rig.upstream.failNext({ kind: 'stall', afterBytes: 600 })
  const answer = await at(300, rig.call('/v1/chat/completions', chat('idle', { stream: true })))
  assert.equal(answer.status, 200)
  assert.match(answer.text, /upstream\.timeout/)
  assert.doesNotMatch(answer.text, /\[DONE\]/)
})

const hello = [{ role: 'user', content: 'hello' }]
/** Caller's dialect: path, body, and where its error has the kind. */
const callers = [
  ['openai-chat', '/v1/chat/completions', { model: 'first-byte', messages: hello }, /"type":"\w+"/],
  ['openai-responses', '/v1/responses', { model: 'first-byte', input: 'hello' }, /"type":"\w+"/],
  [
    'anthropic-messages',
    '/v1/messages',
    { model: 'first-byte', max_tokens: 9, messages: hello },
    /"type":"error"/,
  ],
  [
    'gemini',
    '/v1beta/models/first-byte:generateContent',
    { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] },
    /"status":"DEADLINE_EXCEEDED"/,
  ],
] as const

for (const [dialect, path, body, shape] of callers) {
  test(`a caller of ${dialect} reads the timeout of a route as 504 in its own dialect`, async () => {
    rig.upstream.failNext({ kind: 'hang' })
    const answer = await at(300, rig.call(path, { body }))
    assert.equal(answer.status, 504)
    assert.match(answer.text, shape)
  })
}
