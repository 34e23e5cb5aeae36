/** Answers that Gatewright gives itself: faults in the caller's dialect, small JSON bodies. */
import type { CanonicalError } from '../domain/canonical.ts'
import type { DialectId } from '../domain/dialect-id.ts'
import type { Surface } from '../domain/operations.ts'
import type { CatalogueEntry } from '../faults/catalogue.ts'
import type { Fault } from '../kernel/fault.ts'
import { type Dialect, dialects } from '../providers/index.ts'
import type { Exchange } from './exchange.ts'
import { findingsHeader } from './guards/note-findings.ts'
import { describeLimits } from './limits/limit-headers.ts'

const dialectOfSurface: Readonly<Record<Surface, DialectId>> = Object.freeze({
  openai: 'openai-chat',
  anthropic: 'anthropic-messages',
  gemini: 'gemini',
})

/** The header in which each surface's SDKs look for the request id. */
export const requestIdHeader: Readonly<Record<Surface, string>> = Object.freeze({
  openai: 'x-request-id',
  anthropic: 'request-id',
  gemini: 'x-request-id',
})

/** The surface of an exchange; before its operation is known, by the look of its path. */
export function surfaceOf(exchange: Exchange): Surface {
  if (exchange.operation !== null) return exchange.operation.surface
  const target = exchange.inbound.target
  if (target.startsWith('/v1beta/')) return 'gemini'
  return target.startsWith('/v1/messages') ? 'anthropic' : 'openai'
}

/** The dialect in which the caller expects answers and errors. */
export function callerDialect(exchange: Exchange): Dialect {
  return dialects[exchange.operation?.dialect ?? dialectOfSurface[surfaceOf(exchange)]]
}

export function toCanonicalError(exchange: Exchange, fault: Fault): CanonicalError {
  const definition = fault.definition as CatalogueEntry
  return {
    kind: definition.kind,
    status: definition.status,
    code: definition.code,
    message: fault.publicText,
    requestId: exchange.id,
    documentationUrl: `${exchange.snapshot.documentationUrl}${definition.code}`,
    ...(fault.param === undefined ? {} : { param: fault.param }),
  }
}

/**
 * Send a fault in the caller's dialect. Where a stream has begun, the error is its last event; where another body
 * has begun, the connection is cut, so that nobody takes half an answer for a whole one.
 */
export function sendFault(exchange: Exchange, fault: Fault): void {
  const { reply } = exchange
  if (reply.ended) return
  const error = toCanonicalError(exchange, fault)
  const dialect = callerDialect(exchange)
  if (reply.headSent) {
    if (!exchange.stream) {
      reply.destroy()
      return
    }
    reply.end(exchange.endStream?.(error) ?? dialect.writeStreamError(error))
    return
  }
  exchange.status = fault.status
  const headers = ['content-type', 'application/json', ...ownHeaders(exchange)]
  describeRetry(headers, fault)
  // RFC 9110 §15.5.2 and §15.5.6 demand these.
  if (fault.headers !== undefined) headers.push(...fault.headers)
  else if (fault.status === 401)
    headers.push('www-authenticate', exchange.snapshot.issuers?.challenge ?? 'Bearer realm="gatewright"')
  if (fault.allow !== undefined) headers.push('allow', fault.allow.join(', '))
  const body = JSON.stringify(dialect.writeError(error))
  exchange.responseBytes = Buffer.byteLength(body)
  reply.send(fault.status, headers, body)
}

const ofOneAnswer = new Set([
  'x-request-id',
  'request-id',
  'x-gatewright-request-id',
  'ratelimit-policy',
  'ratelimit',
  'x-gatewright-limit-warning',
  'x-gatewright-findings',
  'traceresponse',
])

/** Headers that hold for one answer and not for another that repeats its body. */
export function isOfOneAnswer(name: string): boolean {
  return ofOneAnswer.has(name) || name.startsWith('x-ratelimit-')
}

/** What every answer has: the request id, under our own name and the one that the caller's SDK reads, limits, the trace. */
export function ownHeaders(exchange: Exchange): string[] {
  const headers: string[] = []
  addOwnHeaders(exchange, headers)
  return headers
}

export function addOwnHeaders(exchange: Exchange, headers: string[]): void {
  headers.push('x-gatewright-request-id', exchange.id, requestIdHeader[surfaceOf(exchange)], exchange.id)
  if (exchange.limits !== null || exchange.addressStandings.length > 0) describeLimits(exchange, headers)
  if (exchange.findings.length > 0) {
    const told = findingsHeader(exchange.findings)
    if (told !== '') headers.push('x-gatewright-findings', told)
  }
  if (exchange.trace !== null) headers.push('traceresponse', exchange.trace.contextOf(exchange))
}

/** Longer than any SDK waits before it tries again by itself. */
const longestRetrySeconds = 60

function describeRetry(headers: string[], { status, retryAfterSeconds: seconds }: Fault): void {
  if (seconds !== undefined) headers.push('retry-after', String(seconds))
  // The SDKs of OpenAI and Anthropic try again after a second or two otherwise, whatever Retry-After says.
  if (status === 429 && (seconds === undefined || seconds > longestRetrySeconds))
    headers.push('x-should-retry', 'false')
}

/** Send a small JSON answer of our own. */
export function sendJson(exchange: Exchange, status: number, body: string): void {
  exchange.status = status
  exchange.responseBytes = Buffer.byteLength(body)
  exchange.reply.send(status, ['content-type', 'application/json', ...ownHeaders(exchange)], body)
}

/** An answer with the id and time that its dialect does not carry (Bedrock has neither, Gemini no time). */
export function identified<T extends { readonly id: string; readonly created: number }>(
  answer: T,
  exchange: Exchange,
): T {
  if (answer.id !== '' && answer.created !== 0) return answer
  return {
    ...answer,
    id: answer.id === '' ? exchange.id : answer.id,
    created: answer.created === 0 ? Math.floor(exchange.startedAt / 1000) : answer.created,
  }
}
