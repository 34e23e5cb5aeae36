import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findRefusedUrl } from '../../test/fixtures/upstream/upstream-server.ts'
import { providerSecret, rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute, testTimeouts } from './harness/start-gateway.ts'

const refused = await findRefusedUrl()
const timeouts = { ...testTimeouts, firstByteMs: 250, idleMs: 250 }
const rig = rigForTests((upstream) => {
  const at = (id: string, baseUrl: string, providerId = 'openai') =>
    testDeployment({ id, providerId, baseUrl, secrets: { apiKey: providerSecret }, timeouts })
  return {
    deployments: [
      at('first', upstream.url),
      at('second', upstream.url),
      at('third', upstream.url),
      ...['refused', 'forbidden', 'after-401', 'after-403'].map((id) => at(id, upstream.url)),
      at('dead', refused),
      at('claude', upstream.url, 'anthropic'),
    ],
    routes: [
      testRoute('gpt', ['first', 'second', 'third']),
      testRoute('lonely', ['first']),
      testRoute('refused', ['refused']),
      testRoute('forbidden', ['forbidden']),
      ...[401, 403].map((status) => testRoute(`after-${status}`, [`after-${status}`, 'second'])),
      testRoute('revived', ['dead', 'second']),
      testRoute('dead', ['dead']),
      testRoute('crossing', ['first', 'claude']),
      testRoute('empty', ['gone']),
    ],
    bounds: { responseBytes: 2000 },
  }
})

const record = () => rig.started.records.at(-1)
const failWith = (status: number, times = 1, headers = {}): void =>
  rig.upstream.failNext(
    { kind: 'status', status, headers, body: `{"error":{"message":"as asked ${providerSecret}"}}` },
    times,
  )

test('after a refused connection the next deployment answers, and the attempts are counted', async () => {
  const answer = await rig.chat({ model: 'revived' })
  assert.equal(answer.status, 200)
  assert.deepEqual(
    [answer.headers['x-gatewright-attempts'], answer.headers['x-gatewright-deployment']],
    ['2', 'second'],
  )
  assert.deepEqual(
    [record()?.attempts, record()?.deploymentId, record()?.outcome],
    [2, 'second', 'completed'],
  )
})

test('after answers that another deployment may better, it is asked', async () => {
  for (const status of [401, 403, 404, 408, 429, 500, 502, 503, 504, 529]) {
    failWith(status)
    // A refused credential stays out of use.
    const answer = await rig.chat(status === 401 || status === 403 ? { model: `after-${status}` } : {})
    assert.deepEqual([answer.status, answer.headers['x-gatewright-attempts']], [200, '2'], String(status))
  }
})

test('a refusal of the request itself is final: no other deployment would take it', async () => {
  for (const status of [400, 409, 413, 422]) {
    rig.upstream.clear()
    failWith(status)
    const answer = await rig.chat()
    assert.deepEqual([answer.status, rig.upstream.requests.length], [status, 1])
  }
})

test('each deployment is tried once, in order; the last answer is what the caller gets', async () => {
  failWith(503, 2)
  failWith(429, 1, { 'retry-after': '7' })
  const answer = await rig.chat()
  assert.equal(answer.status, 429)
  assert.equal(answer.headers['retry-after'], '7')
  assert.equal(answer.headers['x-gatewright-deployment'], 'third')
  assert.equal(rig.upstream.requests.length, 3)
  assert.deepEqual(
    [record()?.attempts, record()?.status, record()?.fault, record()?.outcome],
    [3, 429, 'upstream.error', 'failed'],
  )
})

test('a deployment of another dialect may stand in, and a later attempt starts from the request as it came', async () => {
  failWith(500)
  const answer = await rig.chat({ model: 'crossing' })
  assert.equal(answer.status, 200)
  assert.equal(rig.upstream.requests[1]?.path, '/v1/messages')
  assert.match(answer.text, /"choices"/)
})

test('once a byte of a stream has gone out nobody else is asked: the stream ends with an error', async () => {
  rig.upstream.failNext({ kind: 'cut', afterBytes: 600 })
  const answer = await rig.chat({ stream: true, messages: [{ role: 'user', content: 'sandbox: tokens=50' }] })
  assert.equal(answer.status, 200)
  assert.equal(rig.upstream.requests.length, 1)
  assert.match(answer.text, /upstream\.broken/)
  assert.doesNotMatch(answer.text, /\[DONE\]/)
  assert.deepEqual(
    [record()?.outcome, record()?.fault, record()?.estimated],
    ['failed', 'upstream.broken', true],
  )
})

const unary = {} as const
const streamed = { stream: true } as const
const table = [
  ['a reset', { kind: 'reset' }, unary, 502, 'upstream.broken'],
  ['a closed connection', { kind: 'close' }, unary, 502, 'upstream.broken'],
  ['silence before the head', { kind: 'hang' }, unary, 504, 'upstream.timeout'],
  ['silence before the head of a stream', { kind: 'hang' }, streamed, 504, 'upstream.timeout'],
  ['silence within a body', { kind: 'stall', afterBytes: 10 }, unary, 504, 'upstream.timeout'],
  ['fewer bytes than announced', { kind: 'wrong-length' }, unary, 502, 'upstream.broken'],
  ['bytes that are no HTTP', { kind: 'raw', bytes: 'SSH-2.0-x\r\n' }, unary, 502, 'upstream.broken'],
  [
    'two lengths',
    { kind: 'raw', bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx' },
    unary,
    502,
    'upstream.broken',
  ],
  [
    'a redirect',
    { kind: 'status', status: 302, headers: { location: 'http://127.0.0.1:1/' } },
    unary,
    502,
    'upstream.redirect',
  ],
  [
    'a refused credential',
    { kind: 'status', status: 401, body: `bad key ${providerSecret}` },
    { model: 'refused' },
    502,
    'upstream.credential-refused',
  ],
  [
    'a forbidden credential',
    { kind: 'status', status: 403, body: `bad key ${providerSecret}` },
    { model: 'forbidden' },
    502,
    'upstream.credential-refused',
  ],
  [
    'an answer beyond the bound',
    { kind: 'status', status: 200, body: `{"x":"${'y'.repeat(3000)}"}` },
    unary,
    502,
    'upstream.too-large',
  ],
] as const

for (const [what, fault, own, status, code] of table) {
  test(`${what} is ${status} ${code}, and tells nothing of the upstream`, async () => {
    rig.upstream.failNext(fault)
    const answer = await rig.chat({ model: 'lonely', ...own })
    assert.deepEqual([answer.status, answer.faultCode], [status, code])
    const told = answer.text + JSON.stringify(answer.headers)
    assert.doesNotMatch(told, /sk-provider-secret|127\.0\.0\.1/)
    assert.doesNotMatch(JSON.stringify(rig.started.notes), /sk-provider-secret/)
    assert.deepEqual([record()?.status, record()?.fault, record()?.outcome], [status, code, 'failed'])
    assert.equal(rig.started.gateway.open, 0)
  })
}

test('a refused connection is 502, a route without deployments 503', async () => {
  const dead = await rig.chat({ model: 'dead' })
  assert.deepEqual([dead.status, dead.faultCode], [502, 'upstream.unreachable'])
  const empty = await rig.chat({ model: 'empty' })
  assert.deepEqual(
    [empty.status, empty.faultCode, empty.headers['retry-after']],
    [503, 'upstream.no-deployment', '5'],
  )
})

test('silence in the midst of a stream ends it with an error event', async () => {
  rig.upstream.failNext({ kind: 'stall', afterBytes: 500 })
  const answer = await rig.chat({
    model: 'lonely',
    stream: true,
    messages: [{ role: 'user', content: 'sandbox: tokens=50' }],
  })
  assert.equal(answer.status, 200)
  assert.match(answer.text, /upstream\.timeout/)
  assert.equal(record()?.outcome, 'failed')
})

test('a translated stream that cannot be read ends with an error in the dialect of the caller', async () => {
  rig.upstream.failNext({ kind: 'malformed-sse' })
  const answer = await rig.call('/v1/messages', {
    body: { model: 'lonely', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'x' }] },
  })
  assert.match(answer.text, /event: error\ndata: \{"type":"error"/)
  assert.notEqual(record()?.fault, '')
})
