/**
 * Microseconds of what one exchange takes to count, and of one scrape of eight busy workers. Run: node bench/micro/metrics.ts
 * Exits 1 where counting takes more than 2 µs an exchange or a scrape more than 250 ms.
 */
import { operations } from '../../src/domain/operations.ts'
import type { Exchange } from '../../src/gateway/exchange.ts'
import { ExchangeMetrics } from '../../src/gateway/exchange-metrics.ts'
import type { CompiledTarget } from '../../src/gateway/snapshot.ts'
import {
  createMetrics,
  openMetricReader,
  openMetricWriter,
  withViews,
  writeExposition,
} from '../../src/telemetry/index.ts'

const maxMicroseconds = 2
const maxScrapeMs = 250
const rounds = 400_000
const workers = 8
const models = 50

const usage = {
  inputTokens: 1200,
  outputTokens: 300,
  cachedInputTokens: 100,
  cacheWriteTokens: 0,
  reasoningTokens: 20,
  estimated: false,
}

const operation = operations.find(({ id }) => id === 'chat.completions')

const grant = { productId: 'prd_a', models: ['*'], operations: ['*'], planId: null }

/** An answered exchange, in what counting reads of it. */
function exchangeOf(model: number): { readonly exchange: Exchange; readonly target: CompiledTarget } {
  const target = { model: `gpt-${model}`, deployment: { provider: { id: 'openai' } } } as CompiledTarget
  const exchange = {
    target,
    faultCode: '',
    cacheStatus: '',
    inbound: { startedAt: 1000, method: 'POST', encrypted: true },
    upstreamStartedAt: 1000.4,
    operation,
    compiledKey: {},
    application: { organizationId: 'org_a', grantFor: () => grant },
    grant: undefined,
    limits: null,
    timedStages: [
      'correlate',
      'authenticate',
      'receive',
      'validate',
      'idempotency',
      'reserve',
      'call-upstream',
    ],
    stageStarts: [1000, 1000.02, 1000.06, 1000.2, 1000.25, 1000.26, 1000.3],
    route: { name: `route-${model}` },
    stream: false,
    isStreaming: false,
    status: 200,
    outcome: 'completed',
    usage,
    costMicroUsd: 4500,
  } as unknown as Exchange
  return { exchange, target }
}

const memory = createMetrics(workers)
const exchanges = Array.from({ length: models }, (_, model) => exchangeOf(model))

/** Microseconds of an exchange with one call of a provider. */
function count(metrics: ExchangeMetrics): number {
  const started = performance.now()
  for (let round = 0; round < rounds; round += 1) {
    const { exchange, target } = exchanges[round % models] ?? exchangeOf(0)
    metrics.callEnded({ exchange, target, startedAt: 1000.4 }, 'ok', 1800)
    metrics.requests.active(exchange, 1)
    metrics.ended(exchange, 1812.25)
    metrics.requests.active(exchange, -1)
  }
  return ((performance.now() - started) * 1000) / rounds
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const all = Array.from(
  { length: workers },
  (_, worker) => new ExchangeMetrics(openMetricWriter(memory, worker)),
)
for (const metrics of all) count(metrics)
const microseconds = middle(all.slice(0, 5).map(count))

const reader = openMetricReader(memory)
let bytes = 0
const scrapes = Array.from({ length: 9 }, () => {
  const started = performance.now()
  bytes = writeExposition(withViews(reader.read()), 'openmetrics').length
  return performance.now() - started
})
const scrapeMs = middle(scrapes)
const figures = {
  bench: 'metrics',
  exchangeMicroseconds: Math.round(microseconds * 1000) / 1000,
  scrapeMs: Math.round(scrapeMs * 10) / 10,
  scrapeKilobytes: Math.round(bytes / 1000),
  reservedMegabytes: Math.round(memory.byteLength / 1e5) / 10,
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
if (microseconds > maxMicroseconds || scrapeMs > maxScrapeMs) process.exitCode = 1
