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

/** Count `bytes` more for the exchange until it ends. @throws Fault 503 */
function hold(exchange: Exchange, { bodies }: GatewayContext, bytes: number): void {
  const holder = exchange.compiledKey?.bodies
  if (holder === undefined || !bodies.take(holder, bytes))
    throw new Fault(faults.bodiesHeld, { retryAfterSeconds: 1 })
  exchange.heldBytes += bytes
}

function readWhole(exchange: Exchange, ctx: GatewayContext, limit: number): void {
  const { inbound } = exchange
  if (inbound.contentLength === undefined) return readUnannounced(exchange, ctx, limit)
  hold(exchange, ctx, inbound.contentLength)
  inbound.readBody(limit, (failure, body) => {
    if (exchange.outcome !== 'open') return
    if (failure !== null) return exchange.fail(bodyFault(exchange, failure))
    exchange.body = body
    exchange.proceed()
  })
}

const firstCapacity = 16_384

/** A body of unknown length counts as it grows: one buffer that doubles, never more than `limit`. */
function readUnannounced(exchange: Exchange, ctx: GatewayContext, limit: number): void {
  let buffer = Buffer.allocUnsafeSlow(0)
  let filled = 0
  const grow = (needed: number): void => {
    const capacity = Math.min(limit, Math.max(needed, firstCapacity, 2 * buffer.length))
    hold(exchange, ctx, capacity - buffer.length)
    const grown = Buffer.allocUnsafeSlow(capacity)
    buffer.copy(grown, 0, 0, filled)
    buffer = grown
  }
  exchange.inbound.streamBody(limit, {
    data(chunk) {
      if (exchange.outcome !== 'open') return
      try {
        if (filled + chunk.length > buffer.length) grow(filled + chunk.length)
      } catch (error) {
        return exchange.fail(error)
      }
      buffer.set(chunk, filled)
      filled += chunk.length
    },
    end() {
      exchange.body = buffer.subarray(0, filled)
      exchange.proceed()
    },
    failure: (reason) => exchange.fail(bodyFault(exchange, reason ?? 'malformed')),
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
  if (contentType === 'application/json') return true
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
