/**
 * One HTTP/2 connection over a TLS socket that negotiated h2: a `node:http2` session with timers of our own, because
 * Node's request timeouts do not reach HTTP/2.
 *
 * Bounds: streams at once, header list size and pairs; the first request within the header timeout (which covers
 * preface and settings); idle without streams; resets, pings and settings a second; bytes that carry nothing; invalid
 * frames; 4 MiB of session memory. What goes beyond is told ENHANCE_YOUR_CALM and cut, and its client opens fewer
 * connections for a while.
 */
import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { connectionReasons } from '../../domain/refusal.ts'
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import type { ListenerBounds } from '../../ports/listener.ts'
import type { ConnectionContext, ConnectionPeer } from '../http1/connection.ts'
import type { ConnectionPlace } from '../http1/connection-caps.ts'
import { Deadline } from '../http1/deadline.ts'
import { problemFaults, refusalBody } from '../http1/refusal.ts'
import { createFloodGate, type FloodGate } from './flood-gate.ts'
import { OverheadWatch } from './overhead-watch.ts'
import { readRequestFields } from './request-fields.ts'
import { Http2Exchange, type StreamHost } from './stream-exchange.ts'

const resetsPerSecond = 100
const pingsPerSecond = 20
const settingsPerSecond = 20
const invalidFrames = 20
const rejectedStreams = 100
const sessionMemoryMegabytes = 4
/** Time between the notice that the connection ends and its end, when nothing is under way. */
const farewellMs = 100

export class Http2Connection implements StreamHost {
  readonly remoteAddress: string
  readonly wheel: TimerWheel
  readonly bounds: ListenerBounds
  readonly #context: ConnectionContext
  readonly #place: ConnectionPlace
  readonly #session: ServerHttp2Session
  readonly #firstDeadline: Deadline
  readonly #idleDeadline: Deadline
  readonly #farewell: Deadline
  readonly #overhead: OverheadWatch
  readonly #resets: FloodGate = createFloodGate(resetsPerSecond)
  #streams = 0

  constructor(socket: TLSSocket, context: ConnectionContext, peer: ConnectionPeer) {
    const { bounds, wheel } = context
    this.#context = context
    this.#place = peer.place
    this.bounds = bounds
    this.wheel = wheel
    this.remoteAddress = peer.address
    this.#firstDeadline = new Deadline(wheel, bounds.headerTimeoutMs, () => this.#expire())
    this.#idleDeadline = new Deadline(wheel, bounds.idleTimeoutMs, () => this.#expire())
    this.#farewell = new Deadline(wheel, farewellMs, () => this.destroy())
    this.#firstDeadline.start()
    this.#overhead = new OverheadWatch(socket, wheel, () => this.#flooded())
    this.#session = openSession(socket, bounds)
    this.#listen(this.#session)
  }

  drain(): void {
    if (this.#session.closed || this.#session.destroyed) return
    this.#session.close()
    if (this.#streams === 0) this.#farewell.start()
  }

  destroy(): void {
    this.#session.destroy()
  }

  noteDropped(count: number): void {
    this.#context.counters.droppedHeaders += count
  }

  noteContent(bytes: number): void {
    this.#overhead.note(bytes)
  }

  noteTimeout(): void {
    this.#context.counters.timedOut += 1
  }

  noteHandlerError(error: unknown): void {
    this.#context.noteHandlerError(error)
  }

  #listen(session: ServerHttp2Session): void {
    const pings = createFloodGate(pingsPerSecond)
    const settings = createFloodGate(settingsPerSecond)
    session.on('error', ignoreError)
    session.on('ping', () => this.#meter(pings))
    session.on('remoteSettings', () => this.#meter(settings))
    session.on('stream', (stream, _headers, _flags, rawHeaders) => {
      this.#onStream(stream)
      this.#context.turns.ask(this.#place.client, () => this.#handOver(stream, rawHeaders))
    })
    session.on('close', () => {
      this.#firstDeadline.clear()
      this.#idleDeadline.clear()
      this.#farewell.clear()
      this.#overhead.stop()
    })
  }

  #onStream(stream: ServerHttp2Stream): void {
    this.#firstDeadline.clear()
    this.#idleDeadline.clear()
    this.#streams += 1
    stream.on('error', ignoreError)
    stream.on('close', () => this.#onStreamClosed(stream))
  }

  #handOver(stream: ServerHttp2Stream, rawHeaders: readonly string[]): void {
    // Taken back while it waited for its turn.
    if (stream.destroyed || stream.closed || stream.aborted) return
    const request = readRequestFields(rawHeaders, this.bounds)
    if (typeof request === 'string') {
      this.#refuse(stream, request)
      return
    }
    this.#overhead.note(request.fieldBytes)
    const exchange = new Http2Exchange(stream, request, this)
    try {
      this.#context.handler(exchange)
    } catch (error) {
      exchange.failed(error)
    }
  }

  #refuse(stream: ServerHttp2Stream, problem: keyof typeof problemFaults): void {
    this.#context.counters.refused += 1
    const fault = problemFaults[problem]
    this.#context.noteRefusal({ reason: fault.code, status: fault.status, address: this.remoteAddress })
    if (stream.destroyed || stream.closed) return
    stream.respond({ ':status': fault.status, 'content-type': 'application/json' })
    stream.end(refusalBody(fault))
    stream.resume()
    stream.close(constants.NGHTTP2_NO_ERROR)
  }

  #onStreamClosed(stream: ServerHttp2Stream): void {
    this.#streams -= 1
    // A reset that is not ours: the client gave up, or floods.
    if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.#meter(this.#resets)
    if (this.#streams > 0 || this.#session.destroyed) return
    if (this.#session.closed) this.#farewell.start()
    else this.#idleDeadline.restart()
  }

  #meter(gate: FloodGate): void {
    if (!gate.pass()) this.#flooded()
  }

  #flooded(): void {
    if (this.#session.destroyed) return
    this.#context.counters.refused += 1
    this.#context.noteRefusal({
      reason: connectionReasons.flood,
      status: 0,
      address: this.remoteAddress,
    })
    this.#place.punish()
    this.#session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  #expire(): void {
    this.#context.counters.timedOut += 1
    this.#session.close()
    this.#farewell.start()
  }
}

function openSession(socket: TLSSocket, bounds: ListenerBounds): ServerHttp2Session {
  return performServerHandshake(socket, {
    maxSessionMemory: sessionMemoryMegabytes,
    maxHeaderListPairs: bounds.headerCount + 4,
    maxSettings: 16,
    // Repeated fields of an upstream travel on as they came; they must not throw.
    strictSingleValueFields: false,
    maxSessionInvalidFrames: invalidFrames,
    maxSessionRejectedStreams: rejectedStreams,
    streamResetBurst: 2 * resetsPerSecond,
    streamResetRate: resetsPerSecond,
    settings: {
      enablePush: false,
      enableConnectProtocol: false,
      maxConcurrentStreams: bounds.http2Streams,
      maxHeaderListSize: bounds.headerBytes,
    },
  })
}

function ignoreError(): void {
  // 'close' follows and settles everything; the cause is the client's business.
}
