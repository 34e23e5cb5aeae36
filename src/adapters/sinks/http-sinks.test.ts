import assert from 'node:assert/strict'
import { createHmac, hash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import * as open from '../../compose/network-sinks.ts'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import { createEgressGuard } from '../../egress/index.ts'
import { sampleEvents } from '../../events/harness/sample-events.ts'
import { createHttp1Client } from '../http1/client.ts'

interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}
type Answer = readonly [status: number, body: string, headers?: Readonly<Record<string, string>>]

const secret = 'sEcReT-vAlUe'
const signal = new AbortController().signal
const events = sampleEvents.slice(0, 3)
const at = Date.UTC(2026, 10, 28, 20)

/** A receiver that answers what `answer` says, and what a sink needs to call it. */
async function receiver(t: TestContext, answer: (received: Received) => Answer) {
  const calls: Received[] = []
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { method = '', url = '', headers } = req
      const received = { method, url, headers, body: Buffer.concat(chunks) }
      calls.push(received)
      const [status, body, fields = {}] = answer(received)
      res.writeHead(status, fields).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = createHttp1Client({ egress: createEgressGuard() })
  t.after(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  const clock = { now: at }
  const tools = {
    name: 'test',
    timeoutMs: 2000,
    client,
    readReference: (reference: string) => (reference === 'env:SECRET' ? secret : null),
    now: () => clock.now,
  }
  const { port } = server.address() as AddressInfo
  const address = { url: `http://127.0.0.1:${port}`, allowPrivateNetwork: true }
  return { calls, tools, address, clock }
}

const hec = {
  token: 'env:SECRET',
  index: 'llm',
  acknowledged: false,
  format: 'ecs',
  hostname: 'gw1',
} as const
const store = {
  region: 'eu-central-1',
  accessKeyId: 'env:SECRET',
  secretAccessKey: 'env:SECRET',
  format: 'ocsf',
} as const
const sentinel = {
  ...{ ruleId: 'dcr-0123', stream: 'Custom-Gatewright_CL', tenantId: 'tenant', clientId: 'client' },
  clientSecret: 'env:SECRET',
} as const

test('Splunk gets one JSON object after another, with the token, and 200 alone takes the batch', async (t) => {
  const { calls, tools, address } = await receiver(t, () => [200, '{"text":"Success","code":0}'])
  const outcome = await open.openHecSink({ ...hec, ...address }, tools).deliver(events, signal)
  assert.deepEqual([outcome.retry, outcome.rejected, outcome.problem], [[], [], ''])
  const [call] = calls
  assert.ok(call)
  assert.deepEqual([call.method, call.url], ['POST', '/services/collector/event'])
  assert.equal(call.headers.authorization, `Splunk ${secret}`)
  const sent = call.body
    .toString()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    sent.map(({ event }) => event.event.id),
    events.map(({ id }) => id),
  )
  assert.deepEqual(Object.keys(sent[0]), ['time', 'host', 'source', 'sourcetype', 'index', 'event'])
  assert.equal(sent[0].time, `${(events[0]?.time ?? 0) / 1000}.000`)
})

test('Splunk with acknowledgement: taken when the indexers say so, on the same channel', async (t) => {
  let asked = 0
  const { calls, tools, address } = await receiver(t, ({ url }) => {
    if (!url.startsWith('/services/collector/ack')) return [200, '{"text":"Success","code":0,"ackId":7}']
    asked += 1
    return [200, JSON.stringify({ acks: { 7: asked > 1 } })]
  })
  const sink = open.openHecSink({ ...hec, ...address, acknowledged: true }, tools)
  assert.deepEqual((await sink.deliver(events, signal)).retry, [])
  assert.equal(asked, 2)
  const channel = calls[0]?.headers['x-splunk-request-channel']
  assert.equal(calls[1]?.url, `/services/collector/ack?channel=${channel}`)
  assert.deepEqual(JSON.parse(String(calls[1]?.body)), { acks: [7] })
})

test('OTLP gets ExportLogsServiceRequest in JSON, ids in hexadecimal, 64-bit integers as strings', async (t) => {
  const { calls, tools, address } = await receiver(t, () => [200, '{"partialSuccess":{}}'])
  const sink = open.openOtlpSink({ ...address, authorization: 'env:SECRET' }, tools)
  assert.deepEqual((await sink.deliver(events, signal)).problem, '')
  assert.equal(calls[0]?.url, '/v1/logs')
  assert.equal(calls[0]?.headers.authorization, secret)
  const [resource] = JSON.parse(String(calls[0]?.body)).resourceLogs
  assert.deepEqual(resource.resource.attributes, [
    { key: 'service.name', value: { stringValue: 'gatewright' } },
  ])
  const records = resource.scopeLogs[0].logRecords
  assert.equal(records.length, 3)
  assert.deepEqual([records[0].traceId.length, records[0].spanId.length], [32, 16])
  assert.equal(records[0].timeUnixNano, `${events[0]?.time}000000`)
  const status = records[0].attributes.find(({ key }: { key: string }) => key === 'gatewright.status')
  assert.deepEqual(status.value, { intValue: '200' })
})

test('OTLP: what a partial success refuses is narrowed down to the one event', async (t) => {
  const { tools, address } = await receiver(t, () => [200, '{"partialSuccess":{"rejectedLogRecords":"1"}}'])
  const sink = open.openOtlpSink({ ...address, authorization: '' }, tools)
  assert.equal((await sink.deliver(events, signal)).tooLarge, true)
  assert.deepEqual((await sink.deliver(events.slice(0, 1), signal)).rejected[0]?.at, 0)
})

test('Sentinel gets an array of rows; one token serves until it ends or is refused', async (t) => {
  let tokens = 0
  let status = 204
  const { calls, tools, address, clock } = await receiver(t, ({ url }) => {
    if (!url.startsWith('/tenant/')) return [status, '']
    tokens += 1
    return [200, JSON.stringify({ token_type: 'Bearer', expires_in: 3600, access_token: `token-${tokens}` })]
  })
  const sink = open.openSentinelSink({ ...sentinel, ...address, authority: address.url }, tools)
  await sink.deliver(events, signal)
  const [asked, sent] = calls
  assert.equal(asked?.url, '/tenant/oauth2/v2.0/token')
  assert.deepEqual(Object.fromEntries(new URLSearchParams(String(asked?.body))), {
    grant_type: 'client_credentials',
    client_id: 'client',
    client_secret: secret,
    scope: 'https://monitor.azure.com//.default',
  })
  assert.equal(sent?.url, '/dataCollectionRules/dcr-0123/streams/Custom-Gatewright_CL?api-version=2023-01-01')
  assert.equal(sent?.headers.authorization, 'Bearer token-1')
  const rows = JSON.parse(String(sent?.body))
  assert.deepEqual(
    rows.map(({ EventId }: { EventId: string }) => EventId),
    events.map(({ id }) => id),
  )
  assert.equal(rows[0].TimeGenerated, '2026-11-01T12:00:00.000Z')
  await sink.deliver(events, signal)
  assert.equal(tokens, 1)
  clock.now += 3_300_001
  await sink.deliver(events, signal)
  assert.equal(tokens, 2)
  status = 401
  assert.equal((await sink.deliver(events, signal)).retry.length, 3)
  status = 204
  assert.deepEqual((await sink.deliver(events, signal)).retry, [])
  assert.equal(tokens, 3)
})

test('an object store gets gzipped JSON lines under a name that repeats, with a signature that verifies', async (t) => {
  const { calls, tools, address } = await receiver(t, () => [200, ''])
  const sink = open.openObjectStoreSink({ ...store, ...address, url: `${address.url}/bucket/logs` }, tools)
  await sink.deliver(events, signal)
  await sink.deliver(events, signal)
  const [call, again] = calls
  assert.ok(call)
  assert.equal(call.method, 'PUT')
  assert.match(call.url, /^\/bucket\/logs\/2026-11-01\/12\/2026-11-01T12-00-00-000Z-[0-9a-f]{32}\.jsonl\.gz$/)
  assert.equal(call.url, again?.url)
  const lines = gunzipSync(call.body).toString().trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).metadata.uid),
    events.map(({ id }) => id),
  )
  assert.equal(call.headers['x-amz-content-sha256'], hash('sha256', call.body, 'hex'))
  assert.equal(call.headers.authorization, expectedSignature(call))
})

/** Signature Version 4 as S3 reckons it: the path is encoded once. Written apart from ours. */
function expectedSignature({ method, url, headers, body }: Received): string {
  const date = String(headers['x-amz-date'])
  const names = 'host;x-amz-content-sha256;x-amz-date'
  const lines = names.split(';').map((name) => `${name}:${headers[name]}`)
  const canonical = [method, url, '', ...lines, '', names, hash('sha256', body, 'hex')].join('\n')
  const scope = `${date.slice(0, 8)}/eu-central-1/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', date, scope, hash('sha256', canonical, 'hex')].join('\n')
  let key: string | Buffer = `AWS4${secret}`
  for (const part of [...scope.split('/'), text]) key = createHmac('sha256', key).update(part).digest()
  const signature = Buffer.from(key).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${secret}/${scope}, SignedHeaders=${names}, Signature=${signature}`
}

test('each sink: overload is tried again after the pause asked for, malformed is halved, nothing tells secrets', async (t) => {
  let answer: Answer = [200, '']
  const { tools, address } = await receiver(t, ({ url }) =>
    url.startsWith('/tenant/') ? [200, '{"expires_in":3600,"access_token":"t"}'] : answer,
  )
  const sinks = [
    open.openHecSink({ ...hec, ...address }, tools),
    open.openOtlpSink({ ...address, authorization: '' }, tools),
    open.openSentinelSink({ ...sentinel, ...address, authority: address.url }, tools),
    open.openObjectStoreSink({ ...store, ...address, url: `${address.url}/bucket` }, tools),
    open.openBulkSink({ ...address, secret: 'env:SECRET', scheme: 'apiKey', namespace: 'default' }, tools),
  ]
  const echo = `${secret} ${events[0]?.id}`
  for (const sink of sinks) {
    answer = [429, echo, { 'retry-after': '7' }]
    const busy = await sink.deliver(events, signal)
    assert.deepEqual(
      [busy.retry, busy.retryAfterMs, busy.problem],
      [[0, 1, 2], 7000, 'the receiver answered 429'],
    )
    answer = [413, echo]
    assert.equal((await sink.deliver(events, signal)).tooLarge, true)
    const alone = await sink.deliver(events.slice(0, 1), signal)
    assert.deepEqual(alone.rejected, [{ at: 0, reason: 'the receiver answered 413' }])
    answer = [403, echo]
    const forbidden = await sink.deliver(events, signal)
    assert.deepEqual([forbidden.retry.length, forbidden.problem], [3, 'the receiver answered 403'])
  }
})

test('a secret that is not there, and a receiver that is not there, are outcomes', async (t) => {
  const { tools, address } = await receiver(t, () => [200, ''])
  const nowhere = { ...tools, readReference: () => null }
  const sinks: {
    deliver(batch: readonly OversightEvent[], signal: AbortSignal): Promise<{ retry: readonly number[] }>
  }[] = [
    open.openHecSink({ ...hec, ...address }, nowhere),
    open.openOtlpSink({ ...address, authorization: 'env:SECRET' }, nowhere),
    open.openSentinelSink({ ...sentinel, ...address, authority: address.url }, nowhere),
    open.openObjectStoreSink({ ...store, ...address, url: `${address.url}/bucket` }, nowhere),
    open.openBulkSink({ ...address, secret: 'env:SECRET', scheme: 'basic', namespace: 'x' }, nowhere),
    open.openOtlpSink({ url: 'http://127.0.0.1:1', allowPrivateNetwork: true, authorization: '' }, tools),
  ]
  for (const sink of sinks) assert.deepEqual((await sink.deliver(events, signal)).retry, [0, 1, 2])
})
