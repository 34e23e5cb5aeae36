/**
 * The data plane's listener: plain HTTP/1.1 on loopback, or TLS with HTTP/2 and HTTP/1.1 by ALPN.
 *
 *   accept ─caps─▶ plain ────────────────────────────────▶ Http1Connection
 *                └▶ TLS handshake ─ALPN─▶ http/1.1 or none ─▶ Http1Connection
 *                                     └─▶ h2 ─────────────▶ Http2Connection
 *
 * Assumes one listener per worker thread; `reusePort` lets the kernel balance. Bounds: connection caps are applied
 * before TLS; a handshake has its own deadline. Plain HTTP refuses any address but loopback.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { faults } from '../../faults/catalogue.ts'
import { createTimerWheel, type TimerWheel } from '../../kernel/timer-wheel.ts'
import type { ExchangeHandler, Listener, ListenOptions } from '../../ports/listener.ts'
import { Http2Connection } from '../http2/connection.ts'
import { sharedReadSource, streamSource } from './chunk-source.ts'
import { type ConnectionContext, Http1Connection, type ListenerCounters } from './connection.ts'
import { createConnectionCaps } from './connection-caps.ts'
import { Deadline } from './deadline.ts'
import { refusalReply } from './refusal.ts'
import { createTlsFront, type TlsFront } from './tls-front.ts'

/** A listener with its counters, for metrics. */
export interface HttpListener extends Listener {
  readonly counters: Readonly<ListenerCounters>
}

interface OpenConnection {
  drain(): void
  destroy(): void
}

/** The connections that are open, handshakes included. Bound: the connection cap. */
interface OpenConnections {
  readonly size: number
  add(connection: OpenConnection): void
  delete(connection: OpenConnection): void
  list(): readonly OpenConnection[]
  whenEmpty(done: () => void): void
}

function createOpenConnections(): OpenConnections {
  const members = new Set<OpenConnection>()
  let emptied: (() => void) | null = null
  return {
    get size() {
      return members.size
    },
    add: (connection) => {
      members.add(connection)
    },
    delete(connection) {
      members.delete(connection)
      if (members.size === 0) emptied?.()
    },
    list: () => [...members],
    whenEmpty(done) {
      if (members.size === 0) done()
      else emptied = done
    },
  }
}

interface Shared {
  readonly context: ConnectionContext
  readonly open: OpenConnections
  readonly tls: TlsFront | null
}

const tickMs = 50

/**
 * Listen as told.
 * @throws when plain HTTP is asked for on an address that is not loopback, or the address cannot be bound
 */
export async function openHttpListener(
  options: ListenOptions,
  handler: ExchangeHandler,
): Promise<HttpListener> {
  if (options.tls === undefined && !isLoopback(options.host)) {
    throw new Error('plain HTTP listens on loopback addresses only; give TLS material for any other')
  }
  const wheel = createTimerWheel(tickMs)
  const counters = { refused: 0, droppedHeaders: 0, handlerErrors: 0, timedOut: 0, capped: 0 }
  const context: ConnectionContext = {
    wheel,
    handler,
    bounds: options.bounds,
    draining: false,
    counters,
    noteHandlerError(error) {
      counters.handlerErrors += 1
      options.handlerFailed?.(error)
    },
  }
  const open = createOpenConnections()
  const tls = options.tls === undefined ? null : createTlsFront(options.tls)
  const shared: Shared = { context, open, tls }
  const server = createServer({ noDelay: true, pauseOnConnect: tls === null }, acceptorOf(shared))
  await listen(server, options)
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port
  return listenerOf({ server, shared, host: options.host, port, wheel })
}

function acceptorOf(shared: Shared): (socket: Socket) => void {
  const caps = createConnectionCaps()
  const { context, tls } = shared
  return (socket) => {
    const address = peerAddress(socket)
    if (context.draining || !caps.admit(address, context.bounds)) {
      context.counters.capped += 1
      socket.on('error', ignoreError)
      if (tls === null) {
        const fault = context.draining ? faults.shuttingDown : faults.tooManyConnections
        socket.end(refusalReply(fault), 'latin1')
        socket.destroySoon()
      } else socket.destroy()
      return
    }
    socket.once('close', () => caps.release(address))
    if (tls === null) {
      const source = sharedReadSource(socket)
      const connection = new Http1Connection(source, context, { address, encrypted: false })
      track(shared.open, source.socket, connection)
    } else {
      acceptTls(shared, tls, { socket, address })
    }
  }
}

function acceptTls(
  shared: Shared,
  tls: TlsFront,
  peer: { readonly socket: Socket; readonly address: string },
): void {
  const { context, open } = shared
  const { socket, address } = peer
  const deadline = new Deadline(context.wheel, context.bounds.handshakeTimeoutMs, () => {
    context.counters.timedOut += 1
    socket.destroy()
  })
  deadline.start()
  const handshake: OpenConnection = { drain: () => undefined, destroy: () => socket.destroy() }
  open.add(handshake)
  const settle = (): void => {
    deadline.clear()
    open.delete(handshake)
  }
  socket.once('close', settle)
  socket.on('error', ignoreError)
  tls.secure(socket, (secured: TLSSocket) => {
    const given = { address, encrypted: true }
    const connection =
      secured.alpnProtocol === 'h2'
        ? new Http2Connection(secured, context, given)
        : new Http1Connection(streamSource(secured), context, given)
    // Before the handshake is counted out, so that the listener is not empty in between.
    track(open, secured, connection)
    settle()
    if (context.draining) connection.drain()
  })
}

function track(open: OpenConnections, socket: Socket, connection: OpenConnection): void {
  open.add(connection)
  socket.once('close', () => open.delete(connection))
}

function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(
      { host: options.host, port: options.port, reusePort: options.reusePort, backlog: 1024 },
      () => {
        server.removeListener('error', reject)
        // An accept that fails (out of descriptors) costs that connection, not the listener.
        server.on('error', ignoreError)
        resolve()
      },
    )
  })
}

function listenerOf(parts: {
  readonly server: Server
  readonly shared: Shared
  readonly host: string
  readonly port: number
  readonly wheel: TimerWheel
}): HttpListener {
  const { server, shared, wheel } = parts
  const { context, open, tls } = shared
  let drained: Promise<void> | null = null

  function startDrain(): Promise<void> {
    context.draining = true
    return new Promise((resolve) => {
      // `close` calls back when the last accepted socket is gone.
      server.close(() => {
        // Node counts a socket out when it is destroyed, one turn before the socket's own `close` event.
        shared.open.whenEmpty(() => {
          wheel.stop()
          resolve()
        })
      })
      for (const connection of open.list()) connection.drain()
    })
  }

  return {
    address: { host: parts.host, port: parts.port },
    counters: context.counters,
    setTls(material) {
      tls?.setMaterial(material)
    },
    setBounds(bounds) {
      context.bounds = bounds
    },
    get connections() {
      return open.size
    },
    drain() {
      drained ??= startDrain()
      return drained
    },
    destroy() {
      drained ??= startDrain()
      for (const connection of open.list()) connection.destroy()
    },
  }
}

/** IPv4-mapped IPv6 is given as IPv4, so that one client has one name. */
function peerAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function ignoreError(): void {
  // The socket closes by itself; there is nobody to tell.
}
