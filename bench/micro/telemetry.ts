/**
 * Microseconds of processor time that all telemetry together adds to a request on the worker: metrics, a trace, and the
 * record that becomes the usage, access and security events. Run: node bench/micro/telemetry.ts [pairs]
 * The stages, hooks and outboxes are the real ones, on exchanges with one call each; batches go through a real port.
 * What is traced is what is traced by default once there is a receiver: every exchange. Without a receiver nothing is,
 * which is `untraced`. Each pair is a loop without
 * telemetry and one with it; the middle of the differences counts. Threads of the garbage collector are included.
 * Exits 1 where it is more than 10 µs.
 */
import { MessageChannel } from 'node:worker_threads'
import { operations } from '../../src/domain/operations.ts'
import { compileTracing } from '../../src/gateway/compiled-tracing.ts'
import type { GatewayContext } from '../../src/gateway/context.ts'
import type { Exchange } from '../../src/gateway/exchange.ts'
import { ExchangeMetrics } from '../../src/gateway/exchange-metrics.ts'
import type { CompiledTarget } from '../../src/gateway/snapshot.ts'
import { record } from '../../src/gateway/stages/record.ts'
import { beginTrace, endTrace } from '../../src/gateway/stages/trace.ts'
import { createUsageOutbox } from '../../src/gateway/usage-outbox.ts'
import { createTimerWheel } from '../../src/kernel/timer-wheel.ts'
import { createMetrics, openMetricWriter } from '../../src/telemetry/index.ts'
import { createTraceIds, createTraceOutbox } from '../../src/tracing/index.ts'

const limitMicroseconds = 10
const rounds = 20_000
const models = 50
const warmPairs = 3
const pairs = Number(process.argv[2] ?? 15)

const tracing = compileTracing({
  parents: 'follow',
  ratio: 1,
  rules: [],
  keepsErrors: true,
  stages: false,
  references: false,
  context: 'private',
  state: 'private',
  deployments: [],
})
const headers = ['host', 'gateway.example', 'content-type', 'application/json', 'user-agent', 'bench']
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

function targetOf(model: number): CompiledTarget {
  const deployment = {
    id: 'dep_0123456789',
    slug: 'first',
    provider: { id: 'openai' },
    origin: { host: 'api.openai.example', port: 443 },
    snapshot: { allowPrivateNetwork: false },
  }
  return { model: `gpt-${model}`, deployment } as unknown as CompiledTarget
}

/** An answered exchange, in what telemetry reads of it. */
function exchangeOf(model: number): Exchange {
  return {
    snapshot: { tracing, events: { exchanges: 'group', security: 'group' } },
    trace: null,
    id: 'req_0123456789AB000001',
    startedAt: 1_800_000_000_000,
    inbound: { headers, startedAt: 1000, method: 'POST', encrypted: true, httpVersion: '1.1' },
    clientAddress: '192.0.2.7',
    operation: operations.find(({ id }) => id === 'chat.completions'),
    key: { organizationId: 'org_0123456789', applicationId: 'app_0123456789', keyId: 'key_0123456789' },
    compiledKey: {},
    route: { name: `route-${model}` },
    target: targetOf(model),
    model: `route-${model}`,
    servedModel: `gpt-${model}`,
    status: 200,
    faultCode: '',
    cacheStatus: '',
    outcome: 'completed',
    stream: false,
    isStreaming: false,
    attempts: 1,
    held: null,
    limits: null,
    lost: null,
    endUser: '',
    tags: {},
    usage,
    costMicroUsd: 4500,
    requestBytes: 400,
    responseBytes: 1400,
    upstreamStartedAt: 1000.4,
    firstByteAt: 1800,
    timedStages: ['correlate', 'authenticate', 'receive', 'validate', 'reserve', 'call-upstream'],
    stageStarts: [1000, 1000.02, 1000.06, 1000.2, 1000.26, 1000.3],
    isContentLogged: false,
  } as unknown as Exchange
}

const channel = new MessageChannel()
channel.port2.on('message', () => undefined)
const timers = createTimerWheel()
const traces = createTraceOutbox(timers)
traces.connect((batch) => {
  channel.port1.postMessage(batch)
  traces.acknowledge(batch.sequence)
})
const outbox = createUsageOutbox(timers)
outbox.connect(({ sequence, lines }) => {
  channel.port1.postMessage({ type: 'usage', sequence, lines })
  outbox.acknowledge(sequence)
})
const metrics = new ExchangeMetrics(openMetricWriter(createMetrics(1), 0))
const ctx = {
  metrics,
  traceIds: createTraceIds(),
  clock: { now: Date.now, monotonic: () => 1812.25 },
  recordTrace: (each: Parameters<typeof traces.add>[0]) => traces.add(each),
  recordUsage: (...args: Parameters<typeof outbox.add>) => outbox.add(...args),
} as unknown as GatewayContext

type Part = 'metrics' | 'traces' | 'record'

/** What a request does for telemetry, from its arrival to the end; `record` counts it, too, as its stage does. */
function observe(exchange: Exchange, parts: ReadonlySet<Part>): void {
  const { target } = exchange
  if (target === null) return
  if (parts.has('traces')) {
    beginTrace(exchange, ctx)
    const call = exchange.trace?.beginCall(exchange, [], { target, model: 'gpt-4o', startedAt: 1000.4 })
    call?.look(answer)
    if (exchange.trace !== null) exchange.trace.contextOf(exchange)
  }
  if (parts.has('metrics')) {
    metrics.requests.active(exchange, 1)
    metrics.callEnded({ exchange, target, startedAt: 1000.4 }, 'ok', 1800)
  }
  if (parts.has('traces')) endTrace(exchange, ctx)
  if (parts.has('record')) record(exchange, ctx)
  else if (parts.has('metrics')) metrics.ended(exchange, 1812.25)
  if (parts.has('metrics')) metrics.requests.active(exchange, -1)
}

const exchanges = Array.from({ length: models }, (_, model) => exchangeOf(model))

/** Microseconds of processor time for a request. */
async function measure(parts: ReadonlySet<Part>): Promise<number> {
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round += 1) {
    const exchange = exchanges[round % models]
    if (exchange === undefined) continue
    exchange.trace = null
    observe(exchange, parts)
  }
  const { user, system } = process.cpuUsage(before)
  outbox.flush()
  traces.flush()
  // The port's other end reads what came, outside of what is measured.
  await new Promise((resolve) => setTimeout(resolve, 5))
  return (user + system) / rounds
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const without: ReadonlySet<Part> = new Set()
const settings: Readonly<Record<string, ReadonlySet<Part>>> = {
  metrics: new Set<Part>(['metrics']),
  traces: new Set<Part>(['traces']),
  record: new Set<Part>(['record']),
  untraced: new Set<Part>(['metrics', 'record']),
  all: new Set<Part>(['metrics', 'traces', 'record']),
}
const differences = new Map(Object.keys(settings).map((name) => [name, [] as number[]]))
for (let pair = -warmPairs; pair < pairs; pair += 1) {
  for (const [name, parts] of Object.entries(settings)) {
    const before = await measure(without)
    const after = await measure(parts)
    if (pair >= 0) differences.get(name)?.push(after - before)
  }
}
const cost = (name: string): number => Math.round(middle(differences.get(name) ?? []) * 100) / 100
const figures = {
  bench: 'telemetry',
  pairs,
  metricsMicroseconds: cost('metrics'),
  tracesMicroseconds: cost('traces'),
  recordMicroseconds: cost('record'),
  untracedMicroseconds: cost('untraced'),
  allMicroseconds: cost('all'),
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
channel.port1.close()
timers.stop()
if (figures.allMicroseconds > limitMicroseconds) process.exitCode = 1
