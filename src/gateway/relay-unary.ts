/** A whole answer: collected within its bound, metered, translated where dialects differ, sent at once. */
import { isJsonObject, type JsonObject } from '../domain/json.ts'
import { noUsage } from '../domain/usage.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { usageFromBody } from '../metering/index.ts'
import { writeOpenAiEmbeddings } from '../providers/index.ts'
import type { GatewayContext } from './context.ts'
import { estimatedInput, estimatedUsage } from './estimated-usage.ts'
import type { Exchange } from './exchange.ts'
import { guardsOfAnswer, inspectAnswer } from './guards/inspect-answer.ts'
import { callerDialect, identified } from './respond.ts'
import { describeAnswer, describeUsage, passingHeaders } from './response-headers.ts'
import { settle } from './stages/settle.ts'
import type { OutgoingRequest } from './upstream-request.ts'

/** Gathers chunks up to a bound. */
export interface Collector {
  /** False once the bound is passed; the chunk is dropped. */
  add(chunk: Buffer): boolean
  take(): Buffer
}

export function collect(maxBytes: number): Collector {
  const chunks: Buffer[] = []
  let size = 0
  return {
    add(chunk) {
      size += chunk.length
      if (size > maxBytes) return false
      chunks.push(chunk)
      return true
    },
    take: () => (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
  }
}

/** Send a successful unary answer. */
export function relayUnary(
  exchange: Exchange,
  ctx: GatewayContext,
  answer: {
    readonly request: OutgoingRequest
    readonly status: number
    readonly headers: readonly string[]
    readonly body: Buffer
  },
): void {
  const { request, body } = answer
  const sent = translateBody(exchange, request, body)
  if (request.translateFrom === null) meter(exchange, request, body)
  settle(exchange, ctx)
  const { status, headers } = answer
  const guards = guardsOfAnswer(exchange)
  if (guards === null) return sendAnswer(exchange, ctx, { request, status, headers, sent })
  inspectAnswer(exchange, ctx, {
    guards,
    body: typeof sent === 'string' ? Buffer.from(sent) : sent,
    pass: (passed) => sendAnswer(exchange, ctx, { request, status, headers, sent: passed }),
  })
}

function sendAnswer(
  exchange: Exchange,
  ctx: GatewayContext,
  answer: {
    readonly request: OutgoingRequest
    readonly status: number
    readonly headers: readonly string[]
    readonly sent: string | Buffer
  },
): void {
  const { request, sent } = answer
  const from = request.translateFrom
  const now = ctx.clock.monotonic()
  const headers = from === null ? passingHeaders(answer.headers) : ['content-type', 'application/json']
  describeAnswer(exchange, headers, now)
  describeUsage(exchange, headers)
  exchange.status = answer.status
  exchange.firstByteAt = now
  exchange.responseBytes = typeof sent === 'string' ? Buffer.byteLength(sent) : sent.length
  exchange.reply.send(answer.status, headers, sent)
  exchange.finish('completed')
}

function meter(exchange: Exchange, request: OutgoingRequest, body: Buffer): void {
  if (request.wireDialect === null) return
  const found = usageFromBody(request.wireDialect, body)
  if (found !== undefined) exchange.usage = found
  else if (exchange.operation?.trafficClass === 'G') exchange.usage = estimatedUsage(exchange, body.length)
}

function translateBody(
  exchange: Exchange,
  { translateFrom: from, embeddings }: OutgoingRequest,
  body: Buffer,
): string | Buffer {
  if (embeddings !== null) return translateEmbeddings(exchange, embeddings, body)
  if (from === null) return body
  const response = identified(from.readResponse(parseAnswer(body)), exchange)
  exchange.usage = response.usage ?? estimatedUsage(exchange, body.length)
  if (exchange.canonical === null) throw new TypeError('a translated answer has a canonical request')
  return JSON.stringify(
    callerDialect(exchange).writeResponse(response, {
      model: exchange.model,
      request: exchange.canonical,
      downgrade: (downgrade) => exchange.downgrades.push(downgrade),
    }),
  )
}

function translateEmbeddings(
  exchange: Exchange,
  { form, count }: NonNullable<OutgoingRequest['embeddings']>,
  body: Buffer,
): string {
  const response = form.readResponse(parseAnswer(body), count)
  const inputTokens = response.inputTokens ?? estimatedInput(exchange)
  exchange.usage = { ...noUsage, inputTokens, estimated: response.inputTokens === null }
  const written = { model: exchange.model, request: exchange.json ?? {} }
  return JSON.stringify(writeOpenAiEmbeddings({ ...response, inputTokens }, written))
}

function parseAnswer(body: Buffer): JsonObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new Fault(faults.upstreamMalformed, { internal: 'the unary answer is not JSON', cause })
  }
  if (!isJsonObject(parsed))
    throw new Fault(faults.upstreamMalformed, { internal: 'the unary answer is no JSON object' })
  return parsed
}
