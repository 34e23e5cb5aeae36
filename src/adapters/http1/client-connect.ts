/**
 * Opening a connection: egress check, then the checked addresses in their order, each 250 ms after the one before
 * or at its failure (RFC 8305 in little), then TLS. The name is never resolved again, so what was checked is what
 * is connected to. Bound: as many sockets at once as the guard returns addresses.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type SecureContext } from 'node:tls'
import type { TimerHandle, TimerWheel } from '../../kernel/timer-wheel.ts'
import type { EgressAddress, EgressGuard } from '../../ports/egress.ts'
import type { UpstreamFailureKind, UpstreamOrigin } from '../../ports/upstream-client.ts'

export interface ConnectContext {
  readonly egress: EgressGuard
  readonly wheel: TimerWheel
  readonly secureContext: SecureContext
}

/** Sessions are kept per origin, the latest only (RFC 8446 §4.6.1: tickets are not reused). */
export interface TlsMemory {
  session: Buffer | null
}

export interface ConnectFailure {
  readonly kind: UpstreamFailureKind
  readonly internal: string
}

export interface ConnectTarget {
  readonly origin: UpstreamOrigin
  readonly tls: TlsMemory
  /** Bytes of the new connection; valid during the call only, for the buffer is shared. */
  receive(bytes: Buffer): void
}

export type ConnectDone = (failure: ConnectFailure | null, socket: Socket | null) => void

const attemptDelayMs = 250
const keepAliveProbeMs = 30_000
const readBytes = 65_536

/**
 * On POSIX systems libuv fills the buffer and calls back in one go, so one buffer serves all connections of a
 * thread; on Windows a read is pending in its buffer, so each connection needs its own.
 */
const sharedBuffer = process.platform === 'win32' ? null : Buffer.allocUnsafeSlow(readBytes)

function readInto(target: ConnectTarget): {
  buffer: Buffer
  callback: (count: number, buffer: Uint8Array) => boolean
} {
  const buffer = sharedBuffer ?? Buffer.allocUnsafeSlow(readBytes / 4)
  return {
    buffer,
    callback(count) {
      target.receive(buffer.subarray(0, count))
      return true
    },
  }
}

/** @returns a function that gives up; `done` is then never called. `done` is called at most once, maybe at once. */
export function openConnection(
  context: ConnectContext,
  target: ConnectTarget,
  done: ConnectDone,
): () => void {
  const secure = target.origin.protocol === 'https:'
  const open = new Set<Socket>()
  let addresses: readonly EgressAddress[] = []
  let next = 0
  let timer: TimerHandle | null = null
  /** The first to be connected; from then on there is no other attempt. */
  let winner: Socket | null = null
  let settled = false

  function settle(failure: ConnectFailure | null, socket: Socket | null): void {
    if (settled) return
    settled = true
    timer?.clear()
    done(failure, socket)
  }

  function connected(socket: Socket): void {
    if (!open.has(socket)) return
    winner = socket
    timer?.clear()
    for (const other of open) if (other !== socket) other.destroy()
    if (!secure) settle(null, socket)
  }

  function failed(socket: Socket, error: string): void {
    if (!open.delete(socket) || settled) return
    if (winner === socket) {
      // A ticket that was refused must not be offered again.
      target.tls.session = null
      settle({ kind: 'tls', internal: error }, null)
    } else if (winner === null && next < addresses.length) attempt()
    else if (winner === null && open.size === 0) settle({ kind: 'connect', internal: error }, null)
  }

  function attempt(): void {
    const address = addresses[next]
    if (settled || address === undefined) return
    next += 1
    timer?.clear()
    timer = next < addresses.length ? context.wheel.set(attemptDelayMs, attempt) : null
    const socket = openSocket(context, target, address)
    open.add(socket)
    socket.once('connect', () => connected(socket))
    if (secure) socket.once('secureConnect', () => settle(null, socket))
    // Stays for the socket's life: an error without a listener would end the thread.
    socket.on('error', (error) => failed(socket, codeOf(error)))
    socket.once('close', () => failed(socket, 'closed'))
  }

  context.egress.resolve(target.origin.host, target.origin, (failure, found) => {
    if (failure !== null) settle({ kind: failure.kind, internal: failure.internal }, null)
    addresses = found
    attempt()
  })
  return () => {
    settled = true
    timer?.clear()
    for (const socket of open) socket.destroy()
  }
}

function openSocket(
  context: ConnectContext,
  target: ConnectTarget,
  { address, family }: EgressAddress,
): Socket {
  const { origin, tls } = target
  const options = {
    host: address,
    port: origin.port,
    family,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveProbeMs,
    onread: readInto(target),
  }
  if (origin.protocol === 'http:') return connectTcp(options)
  const secureOptions: ConnectionOptions = {
    ...options,
    // Server name indication is for names only (RFC 6066 §3); the certificate is checked against the name, or
    // against `host`, which then is the address that the origin names.
    ...(isIP(origin.host) === 0 ? { servername: origin.host } : {}),
    secureContext: context.secureContext,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
    ...(tls.session === null ? {} : { session: tls.session }),
  }
  const socket = connectTls(secureOptions)
  socket.on('session', (session) => {
    tls.session = session
  })
  return socket
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
}
