/**
 * What a failed call means: whether the next target is asked, whether this one may be asked again in a later round,
 * and what it does to the target's standing. One table; nothing else in the gateway decides by status.
 */
import type { ErrorKind } from '../domain/canonical.ts'
import type { UpstreamFailureKind } from '../ports/upstream-client.ts'

/**
 * `retire-deployment` out of use until its credential changes or a trial succeeds · `retire-target` the same for the
 * one model · `cool` out of use for as long as the provider says · `break` counts for the circuit breaker.
 */
export type FailureEffect = 'none' | 'retire-deployment' | 'retire-target' | 'cool' | 'break'

export interface FailureClass {
  readonly name: string
  /** What brings it about, for the reference. */
  readonly cause: string
  /** Another target may do better. */
  readonly next: boolean
  /** The same target may do better after a wait. */
  readonly again: boolean
  readonly effect: FailureEffect
}

type Consequence = readonly ['final' | 'next' | 'next, again', FailureEffect]

function row(name: string, [asked, effect]: Consequence, cause: string): FailureClass {
  return Object.freeze({ name, cause, effect, next: asked !== 'final', again: asked === 'next, again' })
}

// biome-ignore format: the columns are the point
export const failureClasses = Object.freeze({
  credential: row('credential',  ['next',        'retire-deployment'], '401'),
  permission: row('permission',  ['next',        'retire-target'],     '403'),
  quota:      row('quota',       ['next',        'cool'],              '402'),
  rateLimit:  row('rate-limit',  ['next, again', 'cool'],              '429'),
  missing:    row('missing',     ['next',        'none'],              '404'),
  timeout:    row('timeout',     ['next, again', 'break'],             '408, 504; no connection, head or further byte in time'),
  overloaded: row('overloaded',  ['next, again', 'break'],             '503, 529'),
  server:     row('server',      ['next, again', 'break'],             '500, 502 and other 5xx'),
  connect:    row('connect',     ['next, again', 'break'],             'no address, connection refused, TLS refused'),
  broken:     row('broken',      ['next, again', 'break'],             'reset, closed, not HTTP, fewer bytes than announced'),
  stream:     row('stream',      ['next, again', 'break'],             'a stream that errs, ends or cannot be read before its first content'),
  malformed:  row('malformed',   ['next',        'break'],             'an answer that cannot be read'),
  egress:     row('egress',      ['next',        'none'],              'an address that the gateway may not call'),
  unfit:      row('unfit',       ['next',        'none'],              'the request cannot be put into the dialect of the target'),
  token:      row('token',       ['next, again', 'break'],             'the token service of the provider gave no token'),
  redirect:   row('redirect',    ['next',        'none'],              '3xx, which is not followed'),
  refused:    row('refused',     ['final',       'none'],              'other 4xx: the request itself, its content among others'),
  caller:     row('caller',      ['final',       'none'],              'the caller broke off its own request'),
})

const byStatus: ReadonlyMap<number, FailureClass> = new Map([
  [401, failureClasses.credential],
  [402, failureClasses.quota],
  [403, failureClasses.permission],
  [404, failureClasses.missing],
  [408, failureClasses.timeout],
  [429, failureClasses.rateLimit],
  [503, failureClasses.overloaded],
  [504, failureClasses.timeout],
  [529, failureClasses.overloaded],
])

export function classOfStatus(status: number): FailureClass {
  const known = byStatus.get(status)
  if (known !== undefined) return known
  if (status >= 500) return failureClasses.server
  return status < 400 ? failureClasses.redirect : failureClasses.refused
}

const byFailure: Readonly<Record<UpstreamFailureKind, FailureClass>> = Object.freeze({
  'egress-denied': failureClasses.egress,
  resolve: failureClasses.connect,
  connect: failureClasses.connect,
  tls: failureClasses.connect,
  'connect-timeout': failureClasses.timeout,
  'first-byte-timeout': failureClasses.timeout,
  'idle-timeout': failureClasses.timeout,
  'total-timeout': failureClasses.timeout,
  reset: failureClasses.broken,
  protocol: failureClasses.broken,
  'body-source': failureClasses.caller,
})

export function classOfFailure(kind: UpstreamFailureKind): FailureClass {
  return byFailure[kind]
}

/** Of an error event that came before any content. What the provider holds against the request itself is final. */
const byErrorKind: Readonly<Record<ErrorKind, FailureClass>> = Object.freeze({
  'invalid-request': failureClasses.refused,
  authentication: failureClasses.credential,
  permission: failureClasses.permission,
  'not-found': failureClasses.missing,
  'too-large': failureClasses.refused,
  'rate-limit': failureClasses.rateLimit,
  quota: failureClasses.quota,
  'content-filter': failureClasses.refused,
  overloaded: failureClasses.overloaded,
  timeout: failureClasses.timeout,
  upstream: failureClasses.stream,
  internal: failureClasses.stream,
})

export function classOfErrorEvent(kind: ErrorKind): FailureClass {
  return byErrorKind[kind]
}

/** `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), and `retry-after-ms`; null where there is none. */
export function retryAfterMs(headers: readonly string[], now: number): number | null {
  let found: number | null = null
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]
    const value = headers[at + 1] ?? ''
    if (name === 'retry-after-ms' && /^[0-9]{1,9}$/.test(value)) return Number(value)
    if (name === 'retry-after') found = readRetryAfter(value, now)
  }
  return found
}

function readRetryAfter(value: string, now: number): number | null {
  if (/^[0-9]{1,7}$/.test(value)) return Number(value) * 1000
  const date = value.length < 40 && value.endsWith(' GMT') ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}
