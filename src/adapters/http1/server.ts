/**
 * The data plane's listener: plain HTTP/1.1 on loopback, or TLS with HTTP/2 and HTTP/1.1 by ALPN.
 *
 * Assumes one listener per worker thread; `reusePort` lets the kernel balance. Bounds: `acceptor.ts` for what comes
 * before HTTP, the connections for what comes after. Plain HTTP refuses any address but loopback.
 */
import { createServer, type Server } from 'node:net'
import { createTimerWheel, type TimerWheel } from '../../kernel/timer-wheel.ts'
import type { ExchangeHandler, Listener, ListenOptions } from '../../ports/listener.ts'
import { createAcceptor, type Entrance } from './acceptor.ts'
import type { ConnectionContext, ListenerCounters } from './connection.ts'
import { createOpenConnections } from './open-connections.ts'
import { createRequestTurns } from './request-turns.ts'
import { createTlsFront } from './tls-front.ts'

/** A listener with its counters, for metrics. */
export interface HttpListener extends Listener {
  readonly counters: Readonly<ListenerCounters>
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
  const { refused = ignoreRefusal } = options
  const context: ConnectionContext = {
    wheel,
    turns: createRequestTurns(),
    handler,
    bounds: options.bounds,
    draining: false,
    counters,
    noteRefusal: refused,
    noteHandlerError(error) {
      counters.handlerErrors += 1
      options.handlerFailed?.(error)
    },
  }
  const open = createOpenConnections()
  const tls = options.tls === undefined ? null : createTlsFront(options.tls, options.handshakeEnded)
  const entrance: Entrance = {
    context,
    open,
    board: options.connections,
    tls,
    isProxy: options.isProxy ?? null,
    isShared: options.isShared ?? nobody,
  }
  const server = createServer({ noDelay: true, pauseOnConnect: true }, createAcceptor(entrance))
  await listen(server, options)
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port
  return listenerOf({ server, entrance, host: options.host, port, wheel })
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
  readonly entrance: Entrance
  readonly host: string
  readonly port: number
  readonly wheel: TimerWheel
}): HttpListener {
  const { server, entrance, wheel } = parts
  const { context, open, tls } = entrance
  let drained: Promise<void> | null = null

  function startDrain(): Promise<void> {
    context.draining = true
    return new Promise((resolve) => {
      // `close` calls back when the last accepted socket is gone.
      server.close(() => {
        // Node counts a socket out when it is destroyed, one turn before the socket's own `close` event.
        open.whenEmpty(() => {
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

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function nobody(): boolean {
  return false
}

function ignoreRefusal(): void {
  // Nobody asks for events.
}

function ignoreError(): void {
  // The socket closes by itself; there is nobody to tell.
}
