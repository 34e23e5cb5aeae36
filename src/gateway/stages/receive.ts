/**
 * Read the request body within its bounds. JSON is read whole; uploads whose model stands in a form field are read
 * whole too, other uploads are left to stream. Compressed bodies are refused: their size is a promise by the sender.
 */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { BodyFailureKind } from '../../ports/listener.ts'
import { type Exchange, headerOf } from '../exchange.ts'
import type { Stage } from '../stage.ts'

export const receive: Stage = (exchange) => {
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
  const limit =
    operation.request === 'json' ? exchange.snapshot.bounds.bodyBytes : exchange.snapshot.bounds.uploadBytes
  if (inbound.contentLength !== undefined && inbound.contentLength > limit) {
    throw new Fault(faults.bodyTooLarge, { public: { limit } })
  }
  if (operation.request === 'any' && operation.model === 'none') {
    exchange.bodyPending = inbound.contentLength !== 0
    return 'next'
  }
  inbound.readBody(Math.min(limit, exchange.snapshot.bounds.bodyBytes), (failure, body) => {
    if (failure !== null) return exchange.fail(bodyFault(exchange, failure))
    exchange.body = body
    exchange.proceed()
  })
  return 'wait'
}

function isJson(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return type === 'application/json' || type.endsWith('+json')
}

/** The fault for a body that could not be read. */
export function bodyFault(exchange: Exchange, failure: BodyFailureKind): Fault {
  switch (failure) {
    case 'too-large':
      return new Fault(faults.bodyTooLarge, { public: { limit: exchange.snapshot.bounds.bodyBytes } })
    case 'timeout':
      return new Fault(faults.bodyTimeout)
    case 'aborted':
    case 'malformed':
      return new Fault(faults.bodyMalformed)
  }
}
