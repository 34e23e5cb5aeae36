/**
 * A stream on its way to the caller. Same dialect: bytes pass as they come and a tap reads the usage figures.
 * Different dialects: bytes → events → bytes. Nothing is gathered: a slow reader pauses the upstream once the
 * reply's buffer is full.
 */
import type { CanonicalEvent } from '../domain/canonical.ts'
import type { LimitRule } from '../domain/limits.ts'
import { noUsage } from '../domain/usage.ts'
import { faults } from '../faults/catalogue.ts'
import { type GuardSet, inspectStream } from '../inspection/index.ts'
import { createUsageTap, estimateTokens } from '../metering/index.ts'
import { type Dialect, dialects, geminiJsonArrayWriter } from '../providers/index.ts'
import type { GatewayContext } from './context.ts'
import { estimatedInput, estimatedUsage } from './estimated-usage.ts'
import type { Exchange } from './exchange.ts'
import { canonicalOf, guardsOfAnswer } from './guards/inspect-answer.ts'
import { noteFindings } from './guards/note-findings.ts'
import { StreamBudget } from './limits/stream-budget.ts'
import { callerDialect, identified } from './respond.ts'
import { describeAnswer, passingHeaders } from './response-headers.ts'
import type { OutgoingRequest } from './upstream-request.ts'
import { createUsageChunkFilter, endOfLastEvent } from './usage-chunk-filter.ts'

export interface StreamRelay {
  data(chunk: Buffer): void
  end(): void
}

/** A stream is cut between events where the next end of one comes within so many bytes. */
const maxTornBytes = 65_536
const noBytes = Buffer.alloc(0)

interface Transform {
  data(chunk: Buffer): Uint8Array | string
  end(): Uint8Array | string
  readonly contentType: string | null
  /** The guard that has ended the answer; null: none has. */
  blockedBy(): string | null
  /** Output so far, by estimate. */
  outputTokens(): number
  /** How much of `piece`, the last that was made, can be sent so that no event is torn; 0: none of it. */
  wholeEvents(piece: Uint8Array | string): number
}

/** Begin to relay a successful streamed answer. */
export function openStreamRelay(
  exchange: Exchange,
  ctx: GatewayContext,
  answer: { readonly request: OutgoingRequest; readonly status: number; readonly headers: readonly string[] },
): StreamRelay {
  const { reply } = exchange
  const transform = transformOf(exchange, answer.request)
  const limits = exchange.limits
  const budget = limits === null ? null : new StreamBudget(exchange, limits)
  let reached: LimitRule | null = null
  let tornBytes = 0
  if (!reply.headSent) exchange.status = answer.status
  ctx.metrics.streamBegan(exchange)
  sendHead(
    exchange,
    ctx,
    transform.contentType === null ? passingHeaders(answer.headers) : ['content-type', transform.contentType],
  )

  function write(piece: Uint8Array | string): void {
    if (piece.length === 0) return
    if (exchange.firstByteAt === 0) exchange.firstByteAt = ctx.clock.monotonic()
    exchange.responseBytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
    if (reply.write(piece)) return
    exchange.call?.pause()
    reply.onDrain(() => exchange.call?.resume())
  }

  /** The limit is reached: what is whole is sent, then the end. Bound: a torn event is waited for as long as it is small. */
  function cut(piece: Uint8Array | string, rule: LimitRule): void {
    const whole = transform.wholeEvents(piece)
    write(whole === 0 || whole === piece.length ? piece : piece.slice(0, whole))
    tornBytes += piece.length
    if (whole > 0 || tornBytes > maxTornBytes) exchange.fail(exchange.limits?.streamEnd(rule))
  }

  /** A guard has ended the answer: the provider need not go on. */
  function endBlocked(piece: Uint8Array | string): void {
    write(piece)
    exchange.faultCode = faults.guardBlockedAnswer.code
    exchange.call?.abort()
    reply.end()
    exchange.finish('completed')
  }

  return {
    data(chunk) {
      try {
        const piece = transform.data(chunk)
        if (transform.blockedBy() !== null) return endBlocked(piece)
        reached ??= budget?.look(transform.outputTokens()) ?? null
        if (reached === null) write(piece)
        else cut(piece, reached)
      } catch (error) {
        exchange.fail(error)
      }
    },
    end() {
      try {
        const last = transform.end()
        if (transform.blockedBy() !== null) return endBlocked(last)
        if (last.length > 0) write(last)
      } catch (error) {
        return exchange.fail(error)
      }
      reply.end()
      exchange.finish('completed')
    },
  }
}

/** Headers of a stream; also sent early, before the first token, when the caller must be kept waiting. */
export function sendHead(exchange: Exchange, ctx: GatewayContext, headers: string[]): void {
  const { reply } = exchange
  if (reply.headSent) return
  headers.push('cache-control', 'no-cache', 'x-accel-buffering', 'no')
  describeAnswer(exchange, headers, ctx.clock.monotonic())
  if (exchange.status === 0) exchange.status = 200
  reply.head(exchange.status, headers)
}

/** Guarded answers are told anew from their events, whatever the dialect. */
function transformOf(
  exchange: Exchange,
  { translateFrom, wireDialect, ...request }: OutgoingRequest,
): Transform {
  const guards = exchange.operation?.trafficClass === 'G' ? guardsOfAnswer(exchange) : null
  if (translateFrom !== null) return translating(exchange, translateFrom, guards)
  if (guards === null || wireDialect === null)
    return passing(exchange, { translateFrom, wireDialect, ...request })
  return translating(exchange, dialects[wireDialect], guards)
}

function passing(exchange: Exchange, request: OutgoingRequest): Transform {
  const tap = request.wireDialect === null ? null : createUsageTap(request.wireDialect)
  const filter = request.hideUsageChunk ? createUsageChunkFilter() : null
  exchange.estimateUsage = () => tap?.finish(() => estimatedInput(exchange)) ?? noUsage
  let last: Buffer = noBytes
  exchange.endStream = (error) => {
    const end = callerDialect(exchange).writeStreamError(error)
    // An event that was torn must not swallow the one that tells why.
    return typeof end === 'string' && filter === null && endOfLastEvent(last) < last.length
      ? `\n\n${end}`
      : end
  }
  return {
    contentType: null,
    blockedBy: () => null,
    outputTokens: () => tap?.outputTokens ?? 0,
    wholeEvents: (piece) =>
      filter === null && Buffer.isBuffer(piece) ? endOfLastEvent(piece) : piece.length,
    data(chunk) {
      tap?.push(chunk)
      last = chunk
      return filter === null ? chunk : filter.push(chunk)
    },
    end: () => filter?.finish() ?? '',
  }
}

function translating(exchange: Exchange, from: Dialect, guards: GuardSet | null): Transform {
  const canonical = canonicalOf(exchange)
  const reader = from.streamReader()
  const openWriter = exchange.jsonArrayStream ? geminiJsonArrayWriter : callerDialect(exchange).streamWriter
  const writer = openWriter({
    model: exchange.model,
    request: { ...canonical, streamUsage: exchange.streamUsageAsked },
    downgrade: (downgrade) => exchange.downgrades.push(downgrade),
  })
  let written = 0
  let pieces: (string | Uint8Array)[] = []
  let broken = false
  exchange.estimateUsage = () => estimatedUsage(exchange, written)
  const tell = (event: CanonicalEvent): void => {
    const piece = writer.write(event.type === 'start' ? identified(event, exchange) : event)
    if (piece.length > 0) pieces.push(piece)
  }
  const inspector =
    guards === null ? null : inspectStream(guards, (finding) => noteFindings(exchange, [finding]))
  const emit = (event: CanonicalEvent): void => {
    if (event.type === 'usage') exchange.usage = event.usage
    else if (event.type === 'delta') written += event.text.length
    else if (event.type === 'error') broken = true
    if (inspector === null) tell(event)
    else inspector.push(event, tell)
  }
  const take = (): string | Uint8Array => {
    const joined = join(pieces)
    pieces = []
    return joined
  }
  exchange.endStream = (error) => {
    const end = [writer.write({ type: 'error', error }), writer.write({ type: 'end' })]
    return join(end.filter((piece) => piece.length > 0))
  }
  return {
    contentType: writer.contentType,
    blockedBy: () => inspector?.blockedBy ?? null,
    outputTokens: () => estimateTokens(written),
    wholeEvents: (piece) => piece.length,
    data(chunk) {
      reader.push(chunk, emit)
      return take()
    },
    end() {
      reader.finish(emit)
      if (broken) exchange.faultCode = faults.upstreamBroken.code
      return take()
    },
  }
}

function join(pieces: readonly (string | Uint8Array)[]): string | Uint8Array {
  if (pieces.length === 1 && pieces[0] !== undefined) return pieces[0]
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('')
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
}
