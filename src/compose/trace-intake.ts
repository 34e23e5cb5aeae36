/**
 * Traces from the workers: which are kept, as spans, to the receiver of the configuration, through the egress guard. What
 * is in force is read anew for each call. Nothing waits for it: what does not fit or cannot be delivered is counted.
 */
import type { Config } from '../config/index.ts'
import type { SnapshotConfig } from '../domain/snapshot.ts'
import { defaultSamplingRatio } from '../domain/tracing.ts'
import { parseOrigin } from '../egress/index.ts'
import { Fault } from '../kernel/fault.ts'
import { packageVersion } from '../kernel/package-version.ts'
import type { UpstreamClient } from '../ports/upstream-client.ts'
import { retryAfterMs } from '../routing/index.ts'
import { ExemplarBook } from '../telemetry/index.ts'
import {
  type Attributes,
  type ExportAnswer,
  type ExportRequest,
  type ExportResult,
  type ExportSettings,
  OtlpExporter,
  spansOfRecord,
  type TailRules,
  TailSampler,
  type TraceBatch,
  type TraceRecord,
} from '../tracing/index.ts'

type TracingConfig = Config['tracing']

export interface TraceIntakeOptions {
  readonly client: UpstreamClient
  readonly config: () => TracingConfig
  readonly readReference: (reference: string) => string | null
  /** Names this run of the process. */
  readonly instance: string
  readonly now: () => number
  readonly log: (text: string) => void
}

export type TraceFigures = Readonly<Record<ExportResult | 'unsampled' | 'lost', number>>

export interface TraceIntake {
  /** Exemplars for histograms of durations. */
  readonly exemplars: ExemplarBook
  add(batch: TraceBatch): void
  /** Spans by what became of them; `lost` counts exchanges that a worker dropped. */
  figures(): TraceFigures
  close(): Promise<void>
}

const sweepEveryMs = 250
const closeWithinMs = 2000
const defaultTimeoutMs = 10_000
const maxAnswerBytes = 65_536
const decoder = new TextDecoder()

/** What workers need of it; undefined: nothing is traced. */
export function tracingTerms(config: TracingConfig): SnapshotConfig['tracing'] {
  if (config.endpoint === undefined) return undefined
  const { sampling, propagate } = config
  return {
    parents: config.parents ?? 'follow',
    ratio: sampling.ratio ?? defaultSamplingRatio,
    rules: sampling.rules.map(({ operations = null, models = null, ratio }) => ({
      operations,
      models,
      ratio,
    })),
    keepsErrors: sampling.errors,
    stages: config.stages,
    references: config.content === 'reference',
    ...propagate,
  }
}

export function openTraceIntake(options: TraceIntakeOptions): TraceIntake {
  const { config, log, now } = options
  const exemplars = new ExemplarBook()
  let unsampled = 0
  let lost = 0
  const exporter = new OtlpExporter({
    settings: () => exportSettings(options),
    post: (request) => post(request, options),
    random: Math.random,
    log,
  })
  const tail = new TailSampler({
    rules: () => tailRules(config()),
    keep(record) {
      exporter.add(spansOfRecord(record))
      exemplars.observe(record)
    },
    drop(record) {
      unsampled += 1 + record.calls.length
    },
    now,
  })
  const sweeping = setInterval(() => tail.sweep(), sweepEveryMs)
  sweeping.unref()
  return {
    exemplars,
    add({ lines, dropped }) {
      lost += dropped
      for (const line of decoder.decode(lines).split('\n')) {
        // Written by our own workers: it is what its type says.
        if (line !== '') tail.add(JSON.parse(line) as TraceRecord, line.length)
      }
    },
    figures: () => ({ ...exporter.counts, unsampled, lost }),
    async close() {
      clearInterval(sweeping)
      tail.sweep(true)
      await exporter.close(closeWithinMs)
    },
  }
}

function tailRules({ sampling: { tail } }: TracingConfig): TailRules | null {
  return tail === undefined ? null : { ...tail, slowMs: tail.slowMs ?? null, costUsd: tail.costUsd ?? null }
}

function exportSettings({ config, instance }: TraceIntakeOptions): ExportSettings | null {
  const { endpoint, protocol = 'http/protobuf', compression = 'gzip', ...own } = config()
  if (endpoint === undefined) return null
  const { 'service.name': named = 'gatewright', ...further } = own.resourceAttributes ?? {}
  const attributes: Attributes = Object.entries({
    'service.name': own.serviceName ?? named,
    'service.version': packageVersion,
    'service.instance.id': instance,
    ...further,
  })
  return { protocol, compression, resource: { attributes } }
}

/** One call. Address and secrets are read anew each time. */
function post(request: ExportRequest, options: TraceIntakeOptions): Promise<ExportAnswer> {
  const { endpoint = '', timeoutMs = defaultTimeoutMs, ...config } = options.config()
  const parsed = parseOrigin(endpoint, config)
  if (parsed instanceof Fault) return Promise.resolve('the address is refused')
  const own = ownHeaders(config, options.readReference)
  if (own === null) return Promise.resolve('there is no secret where tracing.headers says')
  const { promise, resolve } = Promise.withResolvers<ExportAnswer>()
  const chunks: Buffer[] = []
  let size = 0
  let status = 0
  let pauseMs: number | null = null
  options.client.call(
    {
      origin: parsed.origin,
      method: 'POST',
      path: parsed.basePath || '/',
      headers: [...request.headers, 'user-agent', 'gatewright', ...own],
      body: request.body,
      timeouts: { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs },
    },
    {
      head(given, headers) {
        status = given
        pauseMs = retryAfterMs(headers, options.now())
      },
      data(chunk) {
        size += chunk.length
        if (size <= maxAnswerBytes) chunks.push(chunk)
      },
      end: () => resolve({ status, retryAfterMs: pauseMs, body: Buffer.concat(chunks) }),
      failure: ({ kind }) => resolve(kind),
    },
  )
  return promise
}

/** Flat; null: a secret is missing. */
function ownHeaders(
  { headers = {}, headerList }: Pick<TracingConfig, 'headers' | 'headerList'>,
  readReference: TraceIntakeOptions['readReference'],
): string[] | null {
  const flat: string[] = []
  if (headerList !== undefined) {
    const list = readReference(headerList)
    if (list === null) return null
    flat.push(...parseHeaderList(list))
  }
  for (const [name, reference] of Object.entries(headers)) {
    const value = readReference(reference)
    if (value === null) return null
    flat.push(name.toLowerCase(), value)
  }
  return flat
}

const headerName = /^[a-z0-9-]{1,64}$/
const headerValue = /^[\x20-\x7e]{0,4096}$/

/** `name=value,name=value` as `OTEL_EXPORTER_OTLP_HEADERS` has it; what is malformed is left out. */
export function parseHeaderList(text: string): string[] {
  return text.split(',').flatMap((pair) => {
    const mark = pair.indexOf('=')
    const name = pair.slice(0, Math.max(0, mark)).trim().toLowerCase()
    const value = decoded(pair.slice(mark + 1).trim())
    return headerName.test(name) && headerValue.test(value) ? [name, value] : []
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
