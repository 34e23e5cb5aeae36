/**
 * The defence of the data plane's entrance for a server of `node:http` or `node:https`: caps and pace by client,
 * handshakes in turn, and slow readers cut. What Node itself bounds, its owner sets: `guardedServerOptions`.
 *
 * Assumes a server made with those options that does not listen yet. Node looks at its deadlines in intervals, so the
 * interval is part of each figure: half a second. Bounds: those given; one entry per open connection.
 */
import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { createTimerWheel } from '../../kernel/timer-wheel.ts'
import { type ConnectionLimits, createConnectionCaps } from './connection-caps.ts'
import { pendingOutput } from './flush-progress.ts'
import { awaitTurn, createHandshakeTurns } from './handshake-turns.ts'
import { ReplyPace } from './reply-pace.ts'

export interface GuardBounds extends ConnectionLimits {
  readonly handshakesPerSecond: number
  readonly handshakeTimeoutMs: number
  readonly headerTimeoutMs: number
  /** Head and body together. */
  readonly requestTimeoutMs: number
  readonly headerBytes: number
  readonly replyStallTimeoutMs: number
  readonly replyBytesPerSecond: number
}

const lookEveryMs = 500

/** What a guarded server is made with, besides its certificate. */
export function guardedServerOptions(bounds: GuardBounds) {
  return {
    headersTimeout: bounds.headerTimeoutMs,
    requestTimeout: bounds.requestTimeoutMs,
    handshakeTimeout: bounds.handshakeTimeoutMs,
    maxHeaderSize: bounds.headerBytes,
    connectionsCheckingInterval: lookEveryMs,
  }
}

export function guardServer(server: HttpServer | HttpsServer, bounds: GuardBounds): void {
  const wheel = createTimerWheel()
  const caps = createConnectionCaps()
  const turns = createHandshakeTurns(wheel, () => bounds.handshakesPerSecond)
  const [accept] = server.listeners('connection') as ((this: object, socket: Socket) => void)[]
  if (accept === undefined) throw new TypeError('the server takes no connections')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    socket.on('error', ignoreError)
    const place = caps.take(bounds)
    socket.once('close', () => place?.release())
    if (place?.claim(socket.remoteAddress ?? '', bounds) !== true) socket.destroy()
    else if (!isEncrypted(server)) accept.call(server, socket)
    else {
      const late = wheel.set(bounds.handshakeTimeoutMs, () => socket.destroy())
      socket.once('close', () => late.clear())
      awaitTurn(turns, { client: place.client, socket }, () => {
        // From here on the server's own handshake timeout runs.
        late.clear()
        if (!socket.destroyed) accept.call(server, socket)
        return !socket.destroyed
      })
    }
  })
  watchReaders(server, bounds)
}

function isEncrypted(server: HttpServer | HttpsServer): boolean {
  return 'setSecureContext' in server
}

/** Looks for output that waits: `node:http` does not tell when a reply does. */
function watchReaders(server: HttpServer | HttpsServer, bounds: GuardBounds): void {
  const wheel = createTimerWheel()
  const paces = new Map<Socket, ReplyPace>()
  const look = (): void => {
    for (const [socket, pace] of paces) if (pendingOutput(socket) > 0) pace.start()
    if (paces.size > 0) wheel.set(lookEveryMs, look)
  }
  server.on(isEncrypted(server) ? 'secureConnection' : 'connection', (socket: Socket) => {
    const pace = new ReplyPace(wheel, socket, {
      spanMs: bounds.replyStallTimeoutMs,
      bytesPerSecond: bounds.replyBytesPerSecond,
      tooSlow: () => socket.destroy(),
    })
    if (paces.size === 0) wheel.set(lookEveryMs, look)
    paces.set(socket, pace)
    socket.once('close', () => {
      pace.clear()
      paces.delete(socket)
    })
  })
}

function ignoreError(): void {
  // The socket closes by itself; there is nobody to tell.
}
