/**
 * What a provider's error status means, for every dialect alike, and the one thing that is never passed on: a
 * provider's answer to a bad credential, because it speaks about the gateway's key, not the caller's.
 */
import type { CanonicalError, ErrorKind } from '../domain/canonical.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'

const kinds: Readonly<Record<number, ErrorKind>> = Object.freeze({
  400: 'invalid-request',
  401: 'authentication',
  402: 'quota',
  403: 'permission',
  404: 'not-found',
  408: 'timeout',
  409: 'invalid-request',
  413: 'too-large',
  422: 'invalid-request',
  424: 'upstream',
  429: 'rate-limit',
  500: 'upstream',
  502: 'upstream',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
})

export function kindOfStatus(status: number): ErrorKind {
  return kinds[status] ?? (status >= 400 && status < 500 ? 'invalid-request' : 'upstream')
}

/** Longest message of a provider that is passed on, in characters. */
const maxMessageLength = 2000

export interface UpstreamErrorFields {
  readonly status: number
  /** Where the body says more than the status. */
  readonly kind?: ErrorKind | undefined
  readonly code?: string | undefined
  readonly message?: string | undefined
  readonly param?: string | undefined
}

export function upstreamError(fields: UpstreamErrorFields): CanonicalError {
  const kind = fields.kind ?? kindOfStatus(fields.status)
  if (kind === 'authentication') {
    const { status, code, text } = faults.upstreamCredential
    return { kind: 'upstream', status, code, message: text }
  }
  const message =
    fields.message === undefined || fields.message === '' ? faults.upstreamError.text : fields.message
  const error: CanonicalError = {
    kind,
    status: fields.status,
    code: fields.code ?? faults.upstreamError.code,
    message: message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message,
  }
  return fields.param === undefined ? error : { ...error, param: fields.param }
}

/** The upstream ended in the middle of its stream. */
export function brokenStream(): CanonicalError {
  const { kind, status, code, text } = faults.upstreamBroken
  return { kind, status, code, message: text }
}

/** The upstream sent an event that cannot be read. */
export function malformedStream(): CanonicalError {
  const { kind, status, code, text } = faults.upstreamMalformed
  return { kind, status, code, message: text }
}

/** Parts of an answer that must wait for others to be written exceed their bound. */
export const tooMuchWaits: CanonicalError = Object.freeze({
  kind: 'upstream',
  status: faults.upstreamTooLarge.status,
  code: faults.upstreamTooLarge.code,
  message: 'The parallel parts of the answer are too large.',
})

/** A response without the one thing that makes it an answer; `lacks` goes to logs. */
export function malformedResponse(lacks: string): Fault {
  return new Fault(faults.upstreamMalformed, { internal: `the response lacks ${lacks}` })
}
