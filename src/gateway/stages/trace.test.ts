/** What of an exchange is traced, and what of a trace goes where. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SnapshotConfig } from '../../domain/snapshot.ts'
import type { TracingTerms } from '../../domain/tracing.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'

const terms: TracingTerms = {
  parents: 'follow',
  ratio: 1,
  rules: [],
  keepsErrors: true,
  stages: false,
  references: false,
  context: 'private',
  state: 'private',
  deployments: [],
}
const rig = rigForTests((upstream) => {
  const deployment = (id: string) =>
    testDeployment({
      id,
      providerId: 'openai',
      baseUrl: upstream.url,
      secrets: { apiKey: `sk-secret-of-${id}` },
    })
  return {
    deployments: [deployment('first'), deployment('second')],
    routes: [testRoute('gpt', ['first'], 'gpt-4o'), testRoute('pair', ['first', 'second'], 'gpt-4o')],
    config: { tracing: terms },
  }
})

function apply(own: Partial<TracingTerms> | null, config: Partial<SnapshotConfig> = {}): void {
  const { tracing: _on, ...off } = rig.started.config
  rig.started.gateway.apply({
    type: 'config',
    config: { ...off, ...(own === null ? {} : { tracing: { ...terms, ...own } }), ...config },
  })
}

const parentTrace = '0af7651916cd43dd8448eb211c80319c'
const parent = (flags: string) => ({
  traceparent: `00-${parentTrace}-b7ad6b7169203331-${flags}`,
  tracestate: 'foo=1, bar=2',
})
const only = () => {
  assert.equal(rig.started.traces.length, 1)
  const [trace] = rig.started.traces
  assert.ok(trace)
  return trace
}
const contextSent = (at = 0) => rig.upstream.requests[at]?.header('traceparent')

test('an exchange continues the trace of its caller, in record, answer and usage alike', async () => {
  apply({})
  const answer = await rig.chat({}, parent('01'))
  const trace = only()
  assert.deepEqual(
    [trace.traceId, trace.parentSpanId, trace.state],
    [parentTrace, 'b7ad6b7169203331', 'foo=1,bar=2'],
  )
  assert.equal(answer.headers['traceresponse'], `00-${parentTrace}-${trace.spanId}-01`)
  const [record] = rig.started.records
  assert.deepEqual(
    [record?.traceId, record?.spanId, record?.id],
    [trace.traceId, trace.spanId, trace.requestId],
  )
  const [call] = trace.calls
  assert.deepEqual(
    [call?.status, call?.outcome, call?.answered, call?.model, call?.finishReason],
    [200, 'ok', true, 'gpt-4o', 'stop'],
  )
  assert.equal(contextSent(), `00-${parentTrace}-${call?.spanId}-01`)
  assert.equal(rig.upstream.requests[0]?.header('tracestate'), 'foo=1,bar=2')
  assert.ok((trace.usage?.inputTokens ?? 0) > 0)
  assert.ok(
    (call?.start ?? -1) >= 0 && (call?.end ?? 0) <= trace.durationMs && (call?.end ?? 0) > (call?.start ?? 0),
  )
})

test('a malformed context is as if it were not there, and never an error', async () => {
  apply({})
  for (const traceparent of [
    '',
    'x',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `ff-${parentTrace}-b7ad6b7169203331-01`,
  ]) {
    rig.started.traces.length = 0
    const answer = await rig.chat({}, { traceparent, tracestate: '===' })
    assert.equal(answer.status, 200)
    assert.deepEqual([only().parentSpanId, only().state], ['', ''])
    assert.notEqual(only().traceId, parentTrace)
  }
})

test('off, no row runs and nothing is told, sent on or answered', async () => {
  apply(null)
  const answer = await rig.chat({}, parent('01'))
  assert.equal(answer.headers['traceresponse'], undefined)
  assert.equal(rig.started.traces.length, 0)
  assert.equal(contextSent(), undefined)
  assert.equal(rig.started.records[0]?.traceId, undefined)
})

test('a vendor gets no context, and no state, unless it is asked for', async () => {
  apply({ context: 'none', state: 'all' })
  await rig.chat({}, parent('01'))
  apply({ context: 'none', state: 'none', deployments: ['first'] })
  await rig.chat({}, parent('01'))
  const [none, named] = rig.upstream.requests
  assert.deepEqual([none?.header('traceparent'), none?.header('tracestate')], [undefined, undefined])
  assert.match(String(named?.header('traceparent')), /^00-0af7651916cd43dd8448eb211c80319c-/)
  assert.equal(named?.header('tracestate'), undefined)
})

test('what the caller left out of its sample is told of only when it fails, and goes on as it came', async () => {
  apply({})
  const answer = await rig.chat({}, parent('00'))
  assert.match(String(answer.headers['traceresponse']), /-00$/)
  assert.match(String(contextSent()), /-00$/)
  assert.equal(rig.started.traces.length, 0)
  assert.equal(rig.started.records[0]?.traceId, undefined)
  rig.upstream.failNext({ kind: 'status', status: 500 })
  await rig.chat({}, parent('00'))
  assert.deepEqual([only().outcome, only().calls[0]?.status], ['failed', 500])
  apply({ keepsErrors: false })
  rig.upstream.failNext({ kind: 'status', status: 500 })
  await rig.chat({}, parent('00'))
  assert.equal(rig.started.traces.length, 1)
})

test('rules give operations and models shares of their own; a parent goes before them where its decision counts', async () => {
  const rules = [
    { operations: null, models: ['pai*'], ratio: 1 },
    { operations: ['chat.*'], models: null, ratio: 0 },
  ]
  apply({ rules, ratio: 1 })
  await rig.chat()
  assert.equal(rig.started.traces.length, 0)
  await rig.chat({ model: 'pair' })
  assert.equal(only().model, 'pair')
  await rig.chat({}, parent('01'))
  assert.equal(rig.started.traces.length, 2)
  apply({ rules, parents: 'continue' })
  const answer = await rig.chat({}, parent('01'))
  assert.match(String(answer.headers['traceresponse']), new RegExp(`^00-${parentTrace}-`))
  assert.equal(rig.started.traces.length, 2)
  apply({ rules, parents: 'ignore' })
  await rig.chat({}, parent('01'))
  assert.equal(rig.started.traces.length, 2)
})

test('each attempt is a call of its own, and only the one that was answered is marked so', async () => {
  apply({})
  rig.upstream.failNext({ kind: 'status', status: 503 })
  const answer = await rig.chat({ model: 'pair' })
  assert.equal(answer.status, 200)
  const { calls } = only()
  assert.deepEqual(
    calls.map(({ deployment, status, answered }) => [deployment, status, answered]),
    [
      ['first', 503, false],
      ['second', 200, true],
    ],
  )
  assert.notEqual(calls[0]?.outcome, 'ok')
  assert.equal(calls[1]?.outcome, 'ok')
  assert.notEqual(contextSent(0), contextSent(1))
})

test('a stream tells of its first chunk and of why it ended', async () => {
  apply({ stages: true })
  await rig.chat({ stream: true, messages: [{ role: 'user', content: 'sandbox: tokens=20' }] })
  const { calls, streamed, firstByteMs, stages, durationMs } = only()
  assert.ok(streamed && firstByteMs !== null && firstByteMs <= durationMs)
  assert.ok(calls[0]?.firstChunk !== null && (calls[0]?.firstChunk ?? 0) <= (calls[0]?.end ?? 0))
  assert.deepEqual([calls[0]?.finishReason, calls[0]?.responseModel], ['stop', 'gpt-4o'])
  assert.ok(stages.some(([name]) => name === 'call-upstream'))
})

test('refused requests are traced too, with nobody proven', async () => {
  apply({})
  await rig.call('/v1/chat/completions', { body: {}, authorized: false })
  const { outcome, status, keyId, calls } = only()
  assert.deepEqual([outcome, status, keyId, calls], ['refused', 401, '', []])
})

test('no secret, content, user, address or tag is in a trace', async () => {
  apply({ stages: true, references: true }, { contentLog: { maxBytes: 1000 } })
  const body = {
    user: 'user-ada',
    metadata: { tag: 'tag-blue' },
    messages: [{ role: 'user', content: 'words-of-mine' }],
  }
  const answer = await rig.chat(body)
  const text = JSON.stringify(rig.started.traces)
  const key = rig.started.apiKey
  for (const secret of [
    'user-ada',
    'tag-blue',
    'words-of-mine',
    'sk-secret',
    key,
    key.slice(-20),
    '"127.0.0.1"',
  ])
    assert.ok(!text.replaceAll('"host":"127.0.0.1"', '').includes(secret), secret)
  assert.equal(only().contentReference, answer.headers['x-request-id'])
  assert.equal(rig.started.contents[0]?.id, only().contentReference)
  apply({ references: true })
  rig.started.traces.length = 0
  await rig.chat(body)
  assert.equal(only().contentReference, '')
})

test('a caller that leaves ends the trace with what was known, its call given up', async () => {
  apply({})
  rig.upstream.failNext({ kind: 'hang' })
  const leaving = new AbortController()
  const asked = fetch(`${rig.started.url}/v1/chat/completions`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { authorization: `Bearer ${rig.started.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt', messages: [{ role: 'user', content: 'hi' }] }),
  })
  await rig.upstream.until(() => rig.upstream.requests.length === 1)
  leaving.abort()
  await assert.rejects(asked)
  const deadline = Date.now() + 5000
  while (rig.started.traces.length === 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5))
  const { outcome, calls } = only()
  assert.deepEqual([outcome, calls[0]?.outcome, calls[0]?.answered], ['disconnected', 'abandoned', false])
})
