/**
 * Traces of a running product at a strict receiver of OTLP/HTTP: it takes well-formed requests alone, in JSON and in
 * protobuf, and refuses, hangs or is away when a test says so.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { parse, stringify } from 'yaml'
import { readTraceRequest } from '../fixtures/otlp/read-protobuf.ts'
import { startUpstreamServer, type UpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import { type Product, startProduct } from './product.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly status?: { readonly code?: number }
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}

const spans: Span[] = []
const problems: string[] = []
let answers: number[] = []
let requests = 0

/** As the specification has it, and not a bit more lenient. */
function take(headers: Readonly<Record<string, unknown>>, body: Buffer): void {
  assert.equal(headers['authorization'], 'Bearer of-the-receiver')
  assert.equal(headers['content-encoding'], 'gzip')
  const plain = gunzipSync(body)
  const type = headers['content-type']
  assert.ok(type === 'application/json' || type === 'application/x-protobuf')
  const request = (
    type === 'application/json' ? JSON.parse(plain.toString('utf8')) : readTraceRequest(plain)
  ) as {
    readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[]
  }
  for (const { scopeSpans } of request.resourceSpans) {
    for (const each of scopeSpans.flatMap((scope) => scope.spans)) {
      assert.match(each.traceId, /^[0-9a-f]{32}$/)
      assert.match(each.spanId, /^[0-9a-f]{16}$/)
      assert.match(each.startTimeUnixNano, /^\d{19}$/)
      assert.ok(BigInt(each.endTimeUnixNano) >= BigInt(each.startTimeUnixNano))
      assert.ok(!spans.some(({ spanId }) => spanId === each.spanId), 'the same span twice')
      spans.push(each)
    }
  }
}

const receiver = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    requests += 1
    const status = answers.shift() ?? 200
    if (status === 0) return void request.socket.destroy()
    if (status !== 200) return void response.writeHead(status, { 'retry-after': '0' }).end()
    try {
      take(request.headers, Buffer.concat(chunks))
    } catch (error) {
      problems.push(String(error))
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
})

let upstream: UpstreamServer
let product: Product

before(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  upstream = await startUpstreamServer()
  const deployment = (slug: string) => ({
    slug,
    provider: 'openai',
    baseUrl: upstream.url,
    allowPrivateNetwork: true,
    credential: { apiKey: 'env:PROVIDER_KEY' },
  })
  product = await startProduct({
    environment: { PROVIDER_KEY: 'sk-provider-secret', RECEIVER_KEY: 'Bearer of-the-receiver' },
    config: {
      tracing: {
        endpoint: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/v1/traces`,
        allowPrivateNetwork: true,
        headers: { authorization: 'env:RECEIVER_KEY' },
        sampling: { ratio: 1 },
      },
      organizations: [{ slug: 'default' }],
      deployments: [deployment('first'), deployment('second')],
      models: [
        {
          name: 'pair',
          targets: [
            { deployment: 'first', model: 'gpt-4o' },
            { deployment: 'second', model: 'gpt-4o', priority: 1 },
          ],
        },
      ],
      products: [{ slug: 'all', state: 'published', operations: ['*'], models: ['*'] }],
      applications: [{ slug: 'default', products: ['all'] }],
    },
  })
})

after(async () => {
  await product.stop()
  await upstream.close()
  receiver.closeAllConnections()
  receiver.close()
})

async function ask(own: object = {}, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${product.http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.apiKey}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'pair', messages: [{ role: 'user', content: 'words-of-mine' }], ...own }),
  })
  return {
    status: response.status,
    context: response.headers.get('traceresponse') ?? '',
    text: await response.text(),
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within 15 s; ${problems.join('; ')}`)
    await sleep(20)
  }
}

const ofTrace = (traceId: string) => spans.filter((span) => span.traceId === traceId)
const attributeOf = (span: Span | undefined, key: string) =>
  Object.values(span?.attributes.find((each) => each.key === key)?.value ?? {})[0]
const traceOf = (context: string): string => context.split('-')[1] ?? ''

test('a caller’s trace is continued through a failed attempt to the answer, in protobuf and, after a reload, in JSON', async () => {
  const text = parse(readFileSync(product.configFile, 'utf8')) as { tracing: object }
  for (const protocol of ['http/protobuf', 'http/json']) {
    writeFileSync(product.configFile, stringify({ ...text, tracing: { ...text.tracing, protocol } }))
    const reloads = product.output().split('"config.reloaded"').length
    product.process.kill('SIGHUP')
    await until(() => product.output().split('"config.reloaded"').length > reloads)
    const traceId = (protocol === 'http/json' ? 'a' : 'b').repeat(32)
    upstream.clear()
    upstream.failNext({ kind: 'status', status: 503 })
    const { status } = await ask({}, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` })
    assert.equal(status, 200)
    await until(() => ofTrace(traceId).length === 3)
    const [server, failed, answered] = ofTrace(traceId)
    assert.deepEqual(
      [server?.kind, server?.parentSpanId, server?.name],
      [2, '00f067aa0ba902b7', 'POST /v1/chat/completions'],
    )
    for (const call of [failed, answered])
      assert.deepEqual([call?.kind, call?.parentSpanId, call?.name], [3, server?.spanId, 'chat gpt-4o'])
    assert.deepEqual([failed?.status?.code, answered?.status?.code], [2, undefined])
    assert.deepEqual(
      [attributeOf(failed, 'gatewright.deployment'), attributeOf(answered, 'gatewright.deployment')],
      ['first', 'second'],
    )
    assert.deepEqual(
      upstream.requests.map((request) => request.header('traceparent')),
      [failed, answered].map((call) => `00-${traceId}-${call?.spanId}-01`),
    )
    assert.ok(Number(attributeOf(answered, 'gen_ai.usage.output_tokens')) > 0)
  }
  assert.deepEqual(problems, [])
  const seen = JSON.stringify(spans)
  for (const secret of ['words-of-mine', 'sk-provider-secret', product.apiKey])
    assert.ok(!seen.includes(secret))
})

test('streams have a span as long as they are, and tell of their first chunk', async () => {
  const { context, text } = await ask({ stream: true })
  assert.match(text, /\[DONE\]/)
  await until(() => ofTrace(traceOf(context)).length === 2)
  const [, call] = ofTrace(traceOf(context))
  assert.ok(Number(attributeOf(call, 'gen_ai.response.time_to_first_chunk')) > 0)
  assert.equal(attributeOf(call, 'gen_ai.request.stream'), true)
})

test('a caller that leaves ends its trace', async () => {
  upstream.clear()
  upstream.failNext({ kind: 'hang' })
  const traceId = 'c'.repeat(32)
  const leaving = new AbortController()
  const asked = fetch(`${product.http}/v1/chat/completions`, {
    method: 'POST',
    signal: leaving.signal,
    headers: {
      authorization: `Bearer ${product.apiKey}`,
      'content-type': 'application/json',
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    },
    body: JSON.stringify({ model: 'pair', messages: [{ role: 'user', content: 'hi' }] }),
  })
  await upstream.until(() => upstream.requests.length === 1)
  leaving.abort()
  await assert.rejects(asked)
  await until(() => ofTrace(traceId).length === 2)
  assert.equal(attributeOf(ofTrace(traceId)[0], 'gatewright.outcome'), 'disconnected')
  assert.equal(attributeOf(ofTrace(traceId)[1], 'gatewright.attempt.outcome'), 'abandoned')
})

test('a receiver that is busy, away or refuses has no effect on requests; what it may take later comes again', async () => {
  answers = [503, 0, 429]
  const { status, context } = await ask()
  assert.equal(status, 200)
  await until(() => ofTrace(traceOf(context)).length === 2)
  answers = Array.from({ length: 50 }, () => 400)
  const before = requests
  for (let turn = 0; turn < 20; turn += 1) assert.equal((await ask()).status, 200)
  await until(() => requests > before)
  answers = []
  await until(async () =>
    /gatewright_trace_spans_total\{result="failed"\} [1-9]/.test(await metrics('text/plain')),
  )
  assert.deepEqual(problems, [])
})

test('metrics count the spans, and OpenMetrics names the last trace of a bucket', async () => {
  const { context } = await ask()
  await until(() => ofTrace(traceOf(context)).length === 2)
  const text = await metrics('application/openmetrics-text')
  assert.match(text, /gatewright_trace_spans_total\{result="exported"\} [1-9]/)
  const exemplars = [
    ...text.matchAll(/^gatewright_request_duration_seconds_bucket\{.*# \{trace_id="([0-9a-f]{32})"/gm),
  ].map((match) => match[1] ?? '')
  assert.ok(exemplars.includes(traceOf(context)))
})

async function metrics(accept: string): Promise<string> {
  const response = await fetch(`${product.control}/metrics`, {
    headers: { authorization: `Bearer ${product.adminToken}`, accept },
  })
  return response.text()
}

test('what is under way when the process ends is sent before it does', async () => {
  const { context } = await ask()
  assert.equal(await product.stop(), 0)
  assert.equal(ofTrace(traceOf(context)).length, 2)
})
