/**
 * Read the request body within its bounds. JSON is read whole; uploads whose model stands in a form field are read
 * whole too, other uploads are left to stream. Compressed bodies are refused: their size is a promise by the sender.
 */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { BodyFailureKind } from '../../ports/listener.ts'
import type { GatewayContext } from '../context.ts'
import { type Exchange, headerOf } from '../exchange.ts'
import type { Stage } from '../stage.ts'

export const receive: Stage = (exchange, ctx) => {
  const { operation, inbound } = exchange
  if (operation === null || operation.request === 'none') return 'next'
  const encoding = headerOf(inbound.headers, 'content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Fault(faults.unsupportedEncoding, { public: { encoding } })
  }
  const contentType = headerOf(inbound.headers, 'content-type')
  if (operation.request === 'json' && contentType !== undefined && !isJson(contentType)) {
    throw new Fault(faults.unsupportedContentType, { public: { contentType } })
  }
  const limit = limitOf(exchange)
  if (inbound.contentLength !== undefined && inbound.contentLength > limit) {
    throw new Fault(faults.bodyTooLarge, { public: { limit } })
  }
  if (isStreamedThrough(exchange)) {
    exchange.bodyPending = inbound.contentLength !== 0
    return 'next'
  }
  readWhole(exchange, ctx, limit)
  return 'wait'
}

function readWhole(exchange: Exchange, { bodies }: GatewayContext, limit: number): void {
  const holder = exchange.compiledKey?.bodies
  const expected = exchange.inbound.contentLength ?? limit
  if (holder === undefined || !bodies.take(holder, expected))
    throw new Fault(faults.bodiesHeld, { retryAfterSeconds: 1 })
  exchange.heldBytes = expected
  exchange.inbound.readBody(limit, (failure, body) => {
    if (exchange.outcome !== 'open') return
    if (failure !== null) return exchange.fail(bodyFault(exchange, failure))
    bodies.give(holder, expected - body.length)
    exchange.heldBytes = body.length
    exchange.body = body
    exchange.proceed()
  })
}

/** True for uploads that go through without being held. */
function isStreamedThrough({ operation }: Exchange): boolean {
  return operation?.request === 'any' && operation.model === 'none'
}

/** Bytes. What is held in memory keeps to the bound of bodies, uploads too. */
function limitOf(exchange: Exchange): number {
  const { bodyBytes, uploadBytes } = exchange.snapshot.bounds
  if (exchange.operation?.request === 'json') return bodyBytes
  return isStreamedThrough(exchange) ? uploadBytes : Math.min(bodyBytes, uploadBytes)
}

function isJson(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return type === 'application/json' || type.endsWith('+json')
}

/** The fault for a body that could not be read. */
export function bodyFault(exchange: Exchange, failure: BodyFailureKind): Fault {
  switch (failure) {
    case 'too-large':
      return new Fault(faults.bodyTooLarge, { public: { limit: limitOf(exchange) } })
    case 'timeout':
      return new Fault(faults.bodyTimeout)
    case 'aborted':
    case 'malformed':
      return new Fault(faults.bodyMalformed)
  }
}
