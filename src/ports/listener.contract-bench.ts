/** What the groups of guarantees of the listener contract share. */
import type { Client, Transport } from './listener.contract-client.ts'
import type { ExchangeHandler, Listener, ListenerBounds, TlsMaterial } from './listener.ts'

export interface ListenerBench {
  readonly transport: Transport
  readonly tls: TlsMaterial | undefined
  makeCertificate(): Promise<TlsMaterial>
  /** A listener with its own handler, and a client; both are closed after the test. */
  start(handler: ExchangeHandler, bounds?: Partial<ListenerBounds>): Promise<Started>
}

export interface Started {
  /** What handlers threw, as it was reported. */
  readonly thrown: readonly unknown[]
  readonly listener: Listener
  readonly client: Client
  readonly port: number
  /** A further client, on connections of its own. */
  another(): Client
}

export const contractBounds: ListenerBounds = Object.freeze({
  headerBytes: 16_384,
  headerCount: 64,
  connections: 200,
  connectionsPerAddress: 200,
  newConnectionsPerSecond: 1000,
  handshakesPerSecond: 1000,
  handshakeTimeoutMs: 5000,
  headerTimeoutMs: 5000,
  bodyTimeoutMs: 5000,
  bodyGraceMs: 5000,
  bodyBytesPerSecond: 256,
  idleTimeoutMs: 5000,
  replyStallTimeoutMs: 5000,
  replyBytesPerSecond: 256,
  http2Streams: 50,
})
