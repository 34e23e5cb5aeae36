/**
 * Microseconds of processor time that tracing adds to a request, by what is sampled, and what the control plane takes for a
 * span. Run: node bench/micro/tracing.ts
 * The stages, calls and hooks are the real ones, on one exchange with one call; nothing goes over a network. Each setting
 * is measured in turns with the others, and the middle of the turns counts. Exits 1 where a fully traced exchange takes
 * more than 10 µs on the worker, or one with tracing off more than 0.1 µs.
 */
import { gzipSync } from 'node:zlib'
import type { TracingTerms } from '../../src/domain/tracing.ts'
import { compileTracing } from '../../src/gateway/compiled-tracing.ts'
import type { GatewayContext } from '../../src/gateway/context.ts'
import type { Exchange } from '../../src/gateway/exchange.ts'
import type { CompiledTarget } from '../../src/gateway/snapshot.ts'
import { beginTrace, endTrace } from '../../src/gateway/stages/trace.ts'
import { createTimerWheel } from '../../src/kernel/timer-wheel.ts'
import {
  createTraceIds,
  createTraceOutbox,
  spansOfRecord,
  type TraceRecord,
} from '../../src/tracing/index.ts'
import { encodeOtlpJson } from '../../src/tracing/otlp-json.ts'
import { encodeOtlpProtobuf } from '../../src/tracing/otlp-protobuf.ts'

const rounds = 50_000
const turns = 9
/** Exchanges under way: what they hold is garbage soon after. */
const atOnce = 64
const maxTracedMicroseconds = 10
const maxOffMicroseconds = 0.1

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
const target = {
  model: 'gpt-4o',
  deployment: {
    slug: 'first',
    provider: { id: 'openai' },
    origin: { host: 'api.openai.example', port: 443 },
    snapshot: { allowPrivateNetwork: false },
  },
} as unknown as CompiledTarget
const usage = {
  inputTokens: 1200,
  outputTokens: 300,
  cachedInputTokens: 100,
  cacheWriteTokens: 0,
  reasoningTokens: 20,
  estimated: false,
}
const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-1',
    model: 'gpt-4o-2024',
    choices: [{ message: { content: 'x'.repeat(1200) }, finish_reason: 'stop' }],
  }),
)
const headers = [
  'host',
  'gateway.example',
  'content-type',
  'application/json',
  'user-agent',
  'bench',
  'accept',
  '*/*',
]

/** In what tracing reads of it. */
function exchangeOf(ratio: number | null): Exchange {
  return {
    snapshot: { tracing: ratio === null ? null : compiled.get(ratio) },
    trace: null,
    id: 'req_0123456789AB000001',
    inbound: { headers, startedAt: 1000, encrypted: true, httpVersion: '1.1' },
    startedAt: 1_800_000_000_000,
    operation: { id: 'chat.completions', model: 'body', method: 'POST', path: '/v1/chat/completions' },
    route: { name: 'gpt-4o' },
    target,
    key: { organizationId: 'org_0123456789', applicationId: 'app_0123456789', keyId: 'key_0123456789' },
    status: 200,
    faultCode: '',
    cacheStatus: '',
    outcome: 'completed',
    stream: false,
    firstByteAt: 1800,
    requestBytes: 400,
    responseBytes: 1400,
    usage,
    lost: null,
    costMicroUsd: 4500,
    isContentLogged: false,
  } as unknown as Exchange
}
const compiled = new Map([0, 0.01, 1].map((ratio) => [ratio, compileTracing({ ...terms, ratio })]))

const outbox = createTraceOutbox(createTimerWheel())
outbox.connect(({ sequence }) => outbox.acknowledge(sequence))
let last: TraceRecord | null = null
const ctx = {
  traceIds: createTraceIds(),
  clock: { now: Date.now, monotonic: () => 1812.25 },
  recordTrace(record: TraceRecord) {
    last = record
    outbox.add(record)
  },
} as unknown as GatewayContext

/** What a request does for tracing, from its arrival to the end. */
function trace(exchange: Exchange): void {
  beginTrace(exchange, ctx)
  const call = exchange.trace?.beginCall(exchange, [], { target, model: 'gpt-4o', startedAt: 1000.4 }) ?? null
  call?.look(answer)
  if (exchange.trace !== null) exchange.trace.contextOf(exchange)
  endTrace(exchange, ctx)
}

/** Processor time, threads of the garbage collector included; the exchanges themselves are made before. */
function measure(ratio: number | null): number {
  const exchanges = Array.from({ length: atOnce }, () => exchangeOf(ratio))
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round += 1) {
    const exchange = exchanges[round % atOnce] ?? exchangeOf(ratio)
    exchange.trace = null
    trace(exchange)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / rounds
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000

const settings = [null, 0, 0.01, 1]
const found = new Map(settings.map((ratio) => [ratio, [] as number[]]))
for (let turn = 0; turn <= turns; turn += 1)
  for (const ratio of settings)
    if (turn === 0) measure(ratio)
    else found.get(ratio)?.push(measure(ratio))
const cost = (ratio: number | null): number => rounded(middle(found.get(ratio) ?? []))

function perSpan(work: (record: TraceRecord) => void): number {
  const record = last
  if (record === null) throw new TypeError('nothing was traced')
  const times = Array.from({ length: turns }, () => {
    const started = performance.now()
    work(record)
    return ((performance.now() - started) * 1000) / batchSpans
  })
  return rounded(middle(times.slice(2)))
}
const batchSpans = 512
const resource = { attributes: [['service.name', 'gatewright']] as const }
const spansFor = (record: TraceRecord) =>
  Array.from({ length: batchSpans / 2 }, () => spansOfRecord(record)).flat()
const encode = { json: encodeOtlpJson, protobuf: encodeOtlpProtobuf }
const encoded = Object.entries(encode).map(([name, write]) => [
  `${name}MicrosecondsPerSpan`,
  perSpan((record) => void gzipSync(write(resource, spansFor(record)))),
])

const figures = {
  bench: 'tracing',
  offMicroseconds: cost(null),
  unsampledMicroseconds: cost(0),
  onePercentMicroseconds: cost(0.01),
  everythingMicroseconds: cost(1),
  ...Object.fromEntries(encoded),
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
if (figures.everythingMicroseconds > maxTracedMicroseconds || figures.offMicroseconds > maxOffMicroseconds)
  process.exitCode = 1
