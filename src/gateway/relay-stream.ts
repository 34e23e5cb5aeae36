/**
 * A stream on its way to the caller. Same dialect: bytes pass as they come and a tap reads the usage figures.
 * Different dialects: bytes → events → bytes. Nothing is gathered: a slow reader pauses the upstream once the
 * reply's buffer is full.
 */
import { noUsage, type TokenUsage } from '../domain/usage.ts'
import { faults } from '../faults/catalogue.ts'
import { createUsageTap, estimateTokens } from '../metering/index.ts'
import { type Dialect, geminiJsonArrayWriter } from '../providers/index.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { callerDialect, identified } from './respond.ts'
import { describeAnswer, passingHeaders } from './response-headers.ts'
import type { OutgoingRequest } from './upstream-request.ts'
import { createUsageChunkFilter } from './usage-chunk-filter.ts'

export interface StreamRelay {
  data(chunk: Buffer): void
  end(): void
}

interface Transform {
  data(chunk: Buffer): Uint8Array | string
  end(): Uint8Array | string
  readonly contentType: string | null
}

/** Begin to relay a successful streamed answer. */
export function openStreamRelay(
  exchange: Exchange,
  ctx: GatewayContext,
  answer: { readonly request: OutgoingRequest; readonly status: number; readonly headers: readonly string[] },
): StreamRelay {
  const { reply } = exchange
  const from = answer.request.translateFrom
  const transform = from === null ? passing(exchange, answer.request) : translating(exchange, from)
  if (!reply.headSent) exchange.status = answer.status
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

  return {
    data(chunk) {
      try {
        write(transform.data(chunk))
      } catch (error) {
        exchange.fail(error)
      }
    },
    end() {
      try {
        const last = transform.end()
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

function passing(exchange: Exchange, request: OutgoingRequest): Transform {
  const tap = request.wireDialect === null ? null : createUsageTap(request.wireDialect)
  const filter = request.hideUsageChunk ? createUsageChunkFilter() : null
  exchange.estimateUsage = () => tap?.finish(exchange.body.length) ?? noUsage
  return {
    contentType: null,
    data(chunk) {
      tap?.push(chunk)
      return filter === null ? chunk : filter.push(chunk)
    },
    end: () => filter?.finish() ?? '',
  }
}

function translating(exchange: Exchange, from: Dialect): Transform {
  if (exchange.canonical === null) throw new TypeError('a translated stream has a canonical request')
  const reader = from.streamReader()
  const openWriter = exchange.jsonArrayStream ? geminiJsonArrayWriter : callerDialect(exchange).streamWriter
  const writer = openWriter({
    model: exchange.model,
    request: { ...exchange.canonical, streamUsage: exchange.streamUsageAsked },
    downgrade: (downgrade) => exchange.downgrades.push(downgrade),
  })
  let written = 0
  let pieces: (string | Uint8Array)[] = []
  let broken = false
  exchange.estimateUsage = (): TokenUsage => ({
    ...noUsage,
    inputTokens: estimateTokens(exchange.body.length),
    outputTokens: estimateTokens(written),
    estimated: true,
  })
  const emit: Parameters<typeof reader.push>[1] = (event) => {
    if (event.type === 'usage') exchange.usage = event.usage
    else if (event.type === 'delta') written += event.text.length
    else if (event.type === 'error') broken = true
    const piece = writer.write(event.type === 'start' ? identified(event, exchange) : event)
    if (piece.length > 0) pieces.push(piece)
  }
  const take = (): string | Uint8Array => {
    const joined = join(pieces)
    pieces = []
    return joined
  }
  return {
    contentType: writer.contentType,
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
