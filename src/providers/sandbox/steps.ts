/**
 * What a sandbox upstream does over time, as data: a lazy sequence of steps that a player carries out, in process
 * (`sandbox-client.ts`) or behind a real server in tests.
 */
import type { ErrorKind } from '../../domain/canonical.ts'
import type { Failure } from './directives.ts'

export type Step =
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'head'; readonly status: number; readonly headers: readonly string[] }
  | { readonly type: 'data'; readonly bytes: Buffer }
  | { readonly type: 'end' }
  /** Cut the connection. */
  | { readonly type: 'reset' }
  /** Behave as if no connection could be made. */
  | { readonly type: 'refuse' }
  /** Say nothing until the caller gives up. */
  | { readonly type: 'hang' }

export interface SandboxRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly body: Buffer
}

/** One answer with a whole body. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: Buffer
  /** Further headers, flat. */
  readonly headers?: readonly string[]
}

export function jsonAnswer(status: number, body: object, headers: readonly string[] = []): Answer {
  return { status, contentType: 'application/json', body: Buffer.from(JSON.stringify(body)), headers }
}

/** Steps of an answer with a whole body. */
export function* sendAnswer(answer: Answer): Generator<Step> {
  const { status, contentType, body, headers = [] } = answer
  yield {
    type: 'head',
    status,
    headers: ['content-type', contentType, 'content-length', String(body.length), ...headers],
  }
  if (body.length > 0) yield { type: 'data', bytes: body }
  yield { type: 'end' }
}

/** Steps of an answer that breaks off after half of its body. */
export function* sendHalf(answer: Answer, last: 'reset' | 'hang'): Generator<Step> {
  const { status, contentType, body } = answer
  const length = String(body.length)
  yield { type: 'head', status, headers: ['content-type', contentType, 'content-length', length] }
  yield { type: 'data', bytes: body.subarray(0, Math.floor(body.length / 2)) }
  yield { type: last }
}

const kindByStatus: ReadonlyMap<number, ErrorKind> = new Map<number, ErrorKind>([
  [401, 'authentication'],
  [402, 'quota'],
  [403, 'permission'],
  [404, 'not-found'],
  [408, 'timeout'],
  [413, 'too-large'],
  [429, 'rate-limit'],
  [500, 'internal'],
  [502, 'upstream'],
  [503, 'overloaded'],
  [504, 'timeout'],
  [529, 'overloaded'],
])

/** The error kind that an HTTP status stands for. */
export function kindOfStatus(status: number): ErrorKind {
  return kindByStatus.get(status) ?? (status < 500 ? 'invalid-request' : 'internal')
}

/** Failures that happen before the answer begins and need no dialect. */
export const silentFailures: ReadonlyMap<Failure['kind'], Step> = new Map<Failure['kind'], Step>([
  ['refuse', { type: 'refuse' }],
  ['reset', { type: 'reset' }],
  ['hang', { type: 'hang' }],
])
