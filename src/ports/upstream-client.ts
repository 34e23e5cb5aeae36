/**
 * Port: one HTTP call to an upstream. Callback style, because it lies on the hottest path.
 *
 * Order of calls on the handler: head, data*, then end; or failure at any time instead. Exactly one of `end` and
 * `failure` is the last call; none follows `abort()`. `head` for 1xx responses is not reported.
 * Redirects are not followed; no response body is decompressed (the client never asks for compression).
 */
import type { UpstreamTimeouts } from '../domain/entities.ts'

/** Where an upstream is. Compiled once per deployment. */
export interface UpstreamOrigin {
  readonly protocol: 'http:' | 'https:'
  /** Host name or address, without brackets. */
  readonly host: string
  readonly port: number
  /** Allow the host to resolve to private or loopback addresses. */
  readonly allowPrivateNetwork: boolean
}

/** A request body that arrives while the call is under way. */
export interface BodyStream {
  /** Bytes, when announced; undefined: sent chunked. */
  readonly length: number | undefined
  start(sink: BodySink): void
  pause(): void
  resume(): void
}
export interface BodySink {
  data(chunk: Uint8Array): void
  end(): void
  /** The source broke off; the upstream call is aborted. */
  failure(reason?: BodyFailureKind): void
}
/** Why a body did not arrive whole. */
export type BodyFailureKind = 'too-large' | 'timeout' | 'aborted' | 'malformed'

export interface UpstreamRequest {
  readonly origin: UpstreamOrigin
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Flat list name, value, name, value … without Host, Connection, Content-Length, Transfer-Encoding. */
  readonly headers: readonly string[]
  readonly body: Uint8Array | BodyStream | null
  readonly timeouts: UpstreamTimeouts
}

export type UpstreamFailureKind =
  | 'egress-denied'
  | 'resolve'
  | 'connect'
  | 'tls'
  | 'connect-timeout'
  | 'first-byte-timeout'
  | 'idle-timeout'
  | 'total-timeout'
  | 'reset'
  | 'protocol'
  | 'body-source'

export interface UpstreamFailure {
  readonly kind: UpstreamFailureKind
  /** For logs; holds no secret and no content. */
  readonly internal: string
  /** True when no byte of the request can have reached the upstream: a retry is always safe. */
  readonly unsent: boolean
}

export interface UpstreamHandler {
  /** Flat headers, names in lower case, in wire order. */
  head(status: number, headers: readonly string[]): void
  data(chunk: Buffer): void
  end(): void
  failure(failure: UpstreamFailure): void
}

export interface UpstreamCall {
  /** Stop reading from the upstream (back-pressure); data already read may still be delivered once. */
  pause(): void
  resume(): void
  /** Give up at once: the connection is closed. Harmless after the end. */
  abort(): void
}

/** One HTTP call. */
export interface ClientCall extends UpstreamCall {
  /** The whole request was handed to the network: the upstream may act on it, whatever comes of the call. */
  readonly isSent: boolean
}

export interface UpstreamClient {
  call(request: UpstreamRequest, handler: UpstreamHandler): ClientCall
  /** Close idle connections; busy ones end with their call. */
  close(): void
}
