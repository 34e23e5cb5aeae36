/**
 * What happens to a connection before its first byte of HTTP.
 *
 *   accept ─total cap─▶ [PROXY header] ─client's cap and pace─▶ plain ───────────────────────────▶ Http1Connection
 *                                                             └▶ first bytes ─turn─▶ TLS ─ALPN──▶ Http1Connection
 *                                                                                            └─▶ Http2Connection
 *
 * All of it costs once for each connection and nothing for each request. Assumes sockets that are accepted paused.
 * Bounds: the caps come before any cryptography; header, turn and handshake together take at most the handshake
 * timeout. A listener that expects a PROXY header takes connections from its proxies alone, and none without it.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { connectionReasons } from '../../domain/refusal.ts'
import { faults } from '../../faults/catalogue.ts'
import type { ConnectionBoard } from '../../ports/listener.ts'
import { Http2Connection } from '../http2/connection.ts'
import { sharedReadSource, streamSource } from './chunk-source.ts'
import { type ConnectionContext, Http1Connection } from './connection.ts'
import { type ConnectionPlace, createConnectionCaps } from './connection-caps.ts'
import { Deadline } from './deadline.ts'
import { awaitTurn, createHandshakeTurns, type HandshakeTurns } from './handshake-turns.ts'
import type { OpenConnection, OpenConnections } from './open-connections.ts'
import { parseProxyHeader } from './proxy-header.ts'
import { refusalReply } from './refusal.ts'
import type { TlsFront } from './tls-front.ts'

export interface Entrance {
  readonly context: ConnectionContext
  readonly open: OpenConnections
  /** Absent: no other thread counts. */
  readonly board: ConnectionBoard | undefined
  /** Null: plain HTTP. */
  readonly tls: TlsFront | null
  /** Null: no connection begins with a PROXY header. Else whether a peer may, and must, send one. */
  readonly isProxy: ((address: string) => boolean) | null
  /** Whether many clients stand behind an address. */
  readonly isShared: (address: string) => boolean
}

/** A connection on its way in. */
interface Arrival {
  readonly socket: Socket
  readonly place: ConnectionPlace
  /** Read already, behind the PROXY header. */
  readonly rest: Buffer | null
}

export function createAcceptor(entrance: Entrance): (socket: Socket) => void {
  const { context, tls, isProxy, isShared } = entrance
  const caps = createConnectionCaps({ board: entrance.board })
  const turns = createHandshakeTurns(context.wheel, () => context.bounds.handshakesPerSecond)

  function admit(arrival: Arrival, address: string, entering: Entering | null): void {
    const { place } = arrival
    if (isShared(address)) place.share(address)
    else if (!place.claim(address, context.bounds)) return refuse(entrance, arrival.socket, address)
    if (tls === null) {
      serve(entrance, arrival, address)
      entering?.done()
    } else secure({ entrance, tls, turns, entering: entering ?? enter(entrance, arrival) }, arrival, address)
  }

  return (socket) => {
    socket.on('error', ignoreError)
    const place = context.draining ? null : caps.take(context.bounds)
    if (place === null) {
      refuse(entrance, socket, peerAddress(socket))
      return
    }
    socket.once('close', () => place.release())
    const peer = peerAddress(socket)
    if (isProxy === null) {
      admit({ socket, place, rest: null }, peer, null)
    } else if (isProxy(peer)) {
      const entering = enter(entrance, { socket, place, rest: null })
      readProxyHeader(entrance, socket, (address, rest) =>
        admit({ socket, place, rest }, address ?? peer, entering),
      )
    } else turnAway(entrance, socket)
  }
}

/** One that is held and timed, but serves no request yet. */
interface Entering {
  /** It has come in: another object holds it now. */
  done(): void
}

function enter({ context, open }: Entrance, { socket }: Arrival): Entering {
  const deadline = new Deadline(context.wheel, context.bounds.handshakeTimeoutMs, () => {
    context.counters.timedOut += 1
    socket.destroy()
  })
  const held: OpenConnection = { drain: () => undefined, destroy: () => socket.destroy() }
  const done = (): void => {
    deadline.clear()
    open.delete(held)
  }
  deadline.start()
  open.add(held)
  socket.once('close', done)
  return { done }
}

function readProxyHeader(
  entrance: Entrance,
  socket: Socket,
  done: (address: string | null, rest: Buffer | null) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0)
  const onReadable = (): void => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    const header = parseProxyHeader(bytes)
    if (header === 'incomplete') return
    socket.removeListener('readable', onReadable)
    if (header === 'malformed') turnAway(entrance, socket)
    else done(header.address, bytes.length > header.length ? bytes.subarray(header.length) : null)
  }
  socket.on('readable', onReadable)
}

function serve({ context, open }: Entrance, { socket, place, rest }: Arrival, address: string): void {
  const source = sharedReadSource(socket, rest)
  const connection = new Http1Connection(source, context, { address, encrypted: false, place })
  track(open, source.socket, connection)
}

interface SecureWay {
  readonly entrance: Entrance
  readonly tls: TlsFront
  readonly turns: HandshakeTurns
  readonly entering: Entering
}

function secure({ entrance, tls, turns, entering }: SecureWay, arrival: Arrival, address: string): void {
  const { context, open } = entrance
  const { socket, place, rest } = arrival
  const begin = (): boolean => {
    if (socket.destroyed) return false
    const secured = (socket: TLSSocket): void => {
      const peer = { address, encrypted: true, place }
      const connection =
        socket.alpnProtocol === 'h2'
          ? new Http2Connection(socket, context, peer)
          : new Http1Connection(streamSource(socket), context, peer)
      // Before it is counted out as entering, so that the listener is not empty in between.
      track(open, socket, connection)
      entering.done()
      if (context.draining) connection.drain()
    }
    tls.secure(socket, secured, () =>
      context.noteRefusal({ reason: connectionReasons.handshake, status: 0, address }),
    )
    return true
  }
  // What is read stays in the socket's buffer, from which the handshake begins.
  if (rest !== null) socket.unshift(rest)
  awaitTurn(turns, { client: place.client, socket }, begin)
}

function track(open: OpenConnections, socket: Socket, connection: OpenConnection): void {
  open.add(connection)
  socket.once('close', () => open.delete(connection))
}

/** Too many: a client of plain HTTP is told so. */
function refuse({ context, tls }: Entrance, socket: Socket, address: string): void {
  context.counters.capped += 1
  // Whoever comes while the process ends did nothing wrong.
  if (!context.draining) {
    const { code: reason, status } = faults.tooManyConnections
    context.noteRefusal({ reason, status: tls === null ? status : 0, address })
  }
  if (tls === null) {
    const fault = context.draining ? faults.shuttingDown : faults.tooManyConnections
    socket.end(refusalReply(fault), 'latin1')
    socket.destroySoon()
  } else socket.destroy()
}

/** No proxy of ours, or none of its words: there is nothing to be said to it. */
function turnAway({ context }: Entrance, socket: Socket): void {
  context.counters.refused += 1
  context.noteRefusal({ reason: connectionReasons.proxy, status: 0, address: peerAddress(socket) })
  socket.destroy()
}

/** IPv4-mapped IPv6 is given as IPv4, so that one client has one name. */
function peerAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function ignoreError(): void {
  // The socket closes by itself; there is nobody to tell.
}
