/**
 * Sends spans by OTLP/HTTP: in batches, one call after the other, and again where the receiver may take them later
 * (429, 502, 503, 504, or no answer; after what `Retry-After` says, else after 1 s, doubling to 30 s, with jitter).
 *
 *   spans ──▶ queue (maxQueued; beyond it spans are dropped) ──▶ batch ──▶ call ──▶ done
 *                                                                  └── again, maxAttempts in all ──┘
 *
 * Nothing waits for it. What is lost is counted by reason, and told to the log once in a while.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { rejectedSpans } from './otlp-answer.ts'
import { encodeOtlpJson } from './otlp-json.ts'
import { encodeOtlpProtobuf } from './otlp-protobuf.ts'
import type { OtlpResource, OtlpSpan } from './otlp-span.ts'

export interface ExportSettings {
  readonly protocol: 'http/protobuf' | 'http/json'
  readonly compression: 'gzip' | 'none'
  readonly resource: OtlpResource
}

export interface ExportRequest {
  /** Flat name, value list. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** What the receiver said; a text: why nothing was said. */
export type ExportAnswer =
  | { readonly status: number; readonly retryAfterMs: number | null; readonly body: Buffer }
  | string

/** What became of spans. */
export type ExportResult = 'exported' | 'rejected' | 'failed' | 'overflow'

export interface OtlpExporterParts {
  /** Read before each call; null: there is no receiver. */
  readonly settings: () => ExportSettings | null
  /** Never rejects. */
  readonly post: (request: ExportRequest) => Promise<ExportAnswer>
  readonly random: () => number
  /** Holds no secret and no content. */
  readonly log: (text: string) => void
  readonly bounds?: Partial<ExportBounds>
}

export interface ExportBounds {
  readonly maxQueued: number
  readonly batchSpans: number
  readonly flushMs: number
  readonly maxAttempts: number
  readonly firstPauseMs: number
  readonly maxPauseMs: number
}

const defaultBounds: ExportBounds = Object.freeze({
  maxQueued: 16_384,
  batchSpans: 512,
  flushMs: 500,
  maxAttempts: 6,
  firstPauseMs: 1000,
  maxPauseMs: 30_000,
})
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504])
const reportEveryMs = 10_000
const compress = promisify(gzip)

export class OtlpExporter {
  readonly #parts: OtlpExporterParts
  readonly #bounds: ExportBounds
  readonly #queue: OtlpSpan[] = []
  readonly #counts: Record<ExportResult, number> = { exported: 0, rejected: 0, failed: 0, overflow: 0 }
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #endPause: (() => void) | null = null
  #isClosed = false
  #reportedAt: number | null = null

  constructor(parts: OtlpExporterParts) {
    this.#parts = parts
    this.#bounds = { ...defaultBounds, ...parts.bounds }
  }

  get counts(): Readonly<Record<ExportResult, number>> {
    return this.#counts
  }

  get queued(): number {
    return this.#queue.length
  }

  add(spans: readonly OtlpSpan[]): void {
    if (this.#isClosed || this.#queue.length + spans.length > this.#bounds.maxQueued) {
      this.#counts.overflow += spans.length
      return this.#report('Spans are dropped: the receiver does not keep up.')
    }
    this.#queue.push(...spans)
    if (this.#queue.length >= this.#bounds.batchSpans) this.#start()
    else {
      this.#timer ??= setTimeout(() => this.#start(), this.#bounds.flushMs)
      this.#timer.unref()
    }
  }

  /** Send what there is, for so long at most; the rest is given up. */
  async close(withinMs: number): Promise<void> {
    this.#start()
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), withinMs)
    const overdue = new Promise<void>((resolve) => deadline.signal.addEventListener('abort', () => resolve()))
    await Promise.race([this.#running, overdue])
    clearTimeout(timer)
    this.#isClosed = true
    this.#endPause?.()
  }

  #start(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#running ??= this.#work().finally(() => {
      this.#running = null
    })
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0 && !this.#isClosed) {
      const batch = this.#queue.splice(0, this.#bounds.batchSpans)
      await this.#send(batch)
    }
  }

  async #send(batch: readonly OtlpSpan[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const settings = this.#parts.settings()
      if (settings === null) return this.#lose(batch, 'there is no receiver any more')
      const answer = await this.#parts.post(await writeRequest(batch, settings))
      if (typeof answer !== 'string' && answer.status >= 200 && answer.status < 300)
        return this.#taken(batch, answer.body)
      const problem = typeof answer === 'string' ? answer : `the receiver answered ${answer.status}`
      const mayPass = typeof answer === 'string' || retryable.has(answer.status)
      if (!mayPass || this.#isClosed || attempt >= this.#bounds.maxAttempts) return this.#lose(batch, problem)
      await this.#pause(attempt, typeof answer === 'string' ? null : answer.retryAfterMs)
    }
  }

  #taken(batch: readonly OtlpSpan[], body: Buffer): void {
    const rejected = Math.min(batch.length, rejectedSpans(body))
    this.#counts.exported += batch.length - rejected
    this.#counts.rejected += rejected
    if (rejected > 0) this.#report(`The receiver of traces rejected ${rejected} of ${batch.length} spans.`)
  }

  #lose(batch: readonly OtlpSpan[], problem: string): void {
    this.#counts.failed += batch.length
    this.#report(`${batch.length} spans were not delivered: ${problem}.`)
  }

  async #pause(attempt: number, askedMs: number | null): Promise<void> {
    const { firstPauseMs, maxPauseMs } = this.#bounds
    const ownMs = Math.min(maxPauseMs, firstPauseMs * 2 ** (attempt - 1)) * (0.5 + this.#parts.random() / 2)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(maxPauseMs, askedMs ?? ownMs))
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#endPause = null
  }

  /** Once in ten seconds at most. */
  #report(text: string): void {
    const now = performance.now()
    if (this.#reportedAt !== null && now - this.#reportedAt < reportEveryMs) return
    this.#reportedAt = now
    this.#parts.log(text)
  }
}

async function writeRequest(
  spans: readonly OtlpSpan[],
  { protocol, compression, resource }: ExportSettings,
): Promise<ExportRequest> {
  const isJson = protocol === 'http/json'
  const plain = isJson ? encodeOtlpJson(resource, spans) : encodeOtlpProtobuf(resource, spans)
  const type = ['content-type', isJson ? 'application/json' : 'application/x-protobuf']
  if (compression === 'none') return { headers: type, body: plain }
  return { headers: [...type, 'content-encoding', 'gzip'], body: await compress(plain) }
}
