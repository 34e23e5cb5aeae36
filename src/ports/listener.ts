/**
 * Port: the data plane's server side. A listener accepts connections, parses HTTP strictly and hands over
 * exchanges; the pipeline never sees a socket. Callback style: hottest path.
 */
import type { BodyFailureKind, BodySink } from './upstream-client.ts'

export type { BodyFailureKind } from './upstream-client.ts'

export interface Inbound {
  readonly method: string
  /** As sent: path and query, origin-form. */
  readonly target: string
  /** Flat name, value list; names in lower case, wire order, duplicates kept. */
  readonly headers: readonly string[]
  /** Peer address without brackets; v4-mapped v6 is given as v4. */
  readonly remoteAddress: string
  readonly encrypted: boolean
  readonly httpVersion: '1.0' | '1.1' | '2'
  /** Announced body length; undefined when chunked (or HTTP/2 without content-length); 0 when there is none. */
  readonly contentLength: number | undefined
  /** Monotone milliseconds when the request's head was complete. */
  readonly startedAt: number
  /** Read the whole body, at most `maxBytes`. Called at most once, and not together with `streamBody`. */
  readBody(maxBytes: number, done: (failure: BodyFailureKind | null, body: Buffer) => void): void
  /** Receive the body as it comes, at most `maxBytes` (else `failure`). */
  streamBody(maxBytes: number, sink: BodySink): void
  pauseBody(): void
  resumeBody(): void
  readonly reply: Reply
  /** Called once if the client goes away before the reply has been ended. */
  onDisconnect(handler: () => void): void
}

/**
 * The way back. `head` once, then `write`*, then `end`; `send` does all at once. A reply without a
 * `content-length` header is sent chunked (HTTP/1.1) or until close (HTTP/1.0). Framing headers are the listener's.
 */
export interface Reply {
  readonly headSent: boolean
  readonly ended: boolean
  /** `headers`: flat name, value list. Nothing reaches the wire before the first write, flush or end. */
  head(status: number, headers: readonly string[]): void
  flushHead(): void
  /** False: the reader is slow; wait for `onDrain`. */
  write(chunk: Uint8Array | string): boolean
  end(chunk?: Uint8Array | string): void
  send(status: number, headers: readonly string[], body: Uint8Array | string): void
  onDrain(handler: () => void): void
  /** Cut the connection (HTTP/1.1) or reset the stream (HTTP/2): the client must see that the reply is broken. */
  destroy(): void
}

export type ExchangeHandler = (inbound: Inbound) => void

/** What a listener turned away before there was a request for the handler. Holds nothing of what was sent. */
export interface ListenerRefusal {
  /** Code of a fault, or one of `connectionReasons`. */
  readonly reason: string
  /** HTTP status of the answer; 0: there was none. */
  readonly status: number
  /** Of the client as far as it is known: of a connection that is refused before its PROXY header, of the proxy. */
  readonly address: string
}

/** Bounds of one listener; the subset of `GatewayBounds` that connections need. */
export interface ListenerBounds {
  readonly headerBytes: number
  readonly headerCount: number
  readonly connections: number
  /** Of one client: an IPv4 address or the /64 of an IPv6 one. So below. */
  readonly connectionsPerAddress: number
  readonly newConnectionsPerSecond: number
  /** TLS handshakes that begin in a second, of all clients together; the others wait their turn. */
  readonly handshakesPerSecond: number
  readonly handshakeTimeoutMs: number
  readonly headerTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly bodyGraceMs: number
  readonly bodyBytesPerSecond: number
  readonly idleTimeoutMs: number
  readonly replyStallTimeoutMs: number
  readonly replyBytesPerSecond: number
  readonly http2Streams: number
}

export interface TlsMaterial {
  /** PEM chain. */
  readonly certificate: string
  /** PEM. */
  readonly privateKey: string
}

/** Counts the connections of all threads of a process together. */
export interface ConnectionBoard {
  readonly total: number
  /** Count one more. False: there would be more than `most` in all, and it is not counted. */
  enter(most: number): boolean
  leave(): void
  /** The same for the connections of one client. */
  enterClient(client: string, most: number): boolean
  leaveClient(client: string): void
}

export interface ListenOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Absent: plain HTTP, loopback only. */
  readonly tls?: TlsMaterial
  /** Share the port with other threads (SO_REUSEPORT). */
  readonly reusePort: boolean
  readonly bounds: ListenerBounds
  /**
   * Present: connections come from these peers alone, and each begins with a header of the PROXY protocol, which
   * says whose it is. That client's address is what caps, bindings and limits see.
   */
  readonly isProxy?: (address: string) => boolean
  /** Peers whose connections carry requests of many clients: they are counted in all, but not as one client. */
  readonly isShared?: (address: string) => boolean
  /** Absent: this listener counts its connections alone. */
  readonly connections?: ConnectionBoard
  /** For metrics: a TLS handshake has ended; null: it failed. */
  readonly handshakeEnded?: (version: string | null) => void
  /** For events: something was turned away. Called for each, also in a flood: whoever takes it counts alike ones together. */
  readonly refused?: (refusal: ListenerRefusal) => void
  /** For logs: the handler, or a callback it gave, has thrown. The client is answered already (500, or cut). */
  readonly handlerFailed?: (error: unknown) => void
}

export interface Listener {
  readonly address: { readonly host: string; readonly port: number }
  /** New certificate for new handshakes; connections under way keep theirs. */
  setTls(material: TlsMaterial): void
  setBounds(bounds: ListenerBounds): void
  readonly connections: number
  /** Stop accepting, let exchanges end, close idle connections; resolves when all are closed. */
  drain(): Promise<void>
  /** Cut everything. */
  destroy(): void
}
