/**
 * One HTTP/1.x connection: a strict sequence of exchanges over a plain or TLS socket.
 *
 *   idle ─bytes─▶ head ─complete─▶ exchange (body in, reply out) ─reply ended─▶ idle | discard rest of body | close
 *
 * - Pipelined requests wait: the next head is read only when the previous reply has ended and reached the socket.
 *   What has been read of them is kept and the socket pauses, so at most two reads (128 KiB) are held.
 * - A FIN before the reply has ended counts as the client leaving, as nginx does: an abandoned model call costs
 *   money, and no LLM client half-closes.
 * - After a refusal or a reply that leaves body unread, the connection lingers: input is dropped, at most 256 KiB
 *   and 1 s, so that the client reads the answer instead of a reset.
 * Bounds: header, body and idle deadlines, each within two ticks of its figure; a body and a reader keep up a rate.
 */
import type { Socket } from 'node:net'
import { type CatalogueEntry, faults } from '../../faults/catalogue.ts'
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import type { ExchangeHandler, ListenerBounds, ListenerRefusal } from '../../ports/listener.ts'
import { BodyDeadlines } from './body-deadlines.ts'
import { BodyIntake } from './body-intake.ts'
import type { ChunkSource } from './chunk-source.ts'
import type { ConnectionPlace } from './connection-caps.ts'
import { Deadline } from './deadline.ts'
import { type ExchangeHost, Http1Exchange } from './exchange.ts'
import { parseRequestHead } from './head.ts'
import { createHeadReader, headIncomplete, headTooLarge } from './head-reader.ts'
import { problemFaults, refusalReply } from './refusal.ts'
import { ReplyPace } from './reply-pace.ts'
import type { RequestTurns } from './request-turns.ts'
import { writeTogether } from './write-together.ts'

/** What the connections of one listener share. */
export interface ConnectionContext {
  readonly wheel: TimerWheel
  readonly turns: RequestTurns
  readonly handler: ExchangeHandler
  /** Bounds for new connections; those under way keep what they began with. */
  bounds: ListenerBounds
  draining: boolean
  readonly counters: ListenerCounters
  /** Reports what never becomes a request. */
  readonly noteRefusal: (refusal: ListenerRefusal) => void
  /** Counts and reports. */
  noteHandlerError(error: unknown): void
}

export interface ListenerCounters {
  /** Requests and preambles that were refused before a handler saw them. */
  refused: number
  /** Reply header fields that were dropped as unsafe. */
  droppedHeaders: number
  /** Handlers that threw. */
  handlerErrors: number
  /** Connections cut at a deadline. */
  timedOut: number
  /** Connections closed at accept by a cap. */
  capped: number
}

export interface ConnectionPeer {
  readonly address: string
  readonly encrypted: boolean
  /** What it takes of the listener's caps. */
  readonly place: ConnectionPlace
}

const continueLine = 'HTTP/1.1 100 Continue\r\n\r\n'
const lingerMs = 1000
const lingerBytes = 256 * 1024
const discardBytes = 64 * 1024
const copyBytes = 16 * 1024
/** Requests of one connection that are answered in one turn of the event loop. */
const pipelinedInTurn = 16

export class Http1Connection implements ExchangeHost {
  readonly remoteAddress: string
  readonly encrypted: boolean
  readonly #socket: Socket
  readonly #context: ConnectionContext
  readonly #bounds: ListenerBounds
  readonly #reader = createHeadReader()
  #exchange: Http1Exchange | null = null
  #intake: BodyIntake | null = null
  /** Bytes of a later request, read while this one is served. */
  #backlog: Buffer | null = null
  #expectsContinue = false
  #paused = false
  #taking = false
  #closing = false
  #lingered = 0
  readonly #flush = (): void => this.#socket.uncork()
  readonly #headDeadline: Deadline
  readonly #idleDeadline: Deadline
  readonly #bodyDeadlines: BodyDeadlines
  readonly #replyPace: ReplyPace
  readonly #lingerDeadline: Deadline

  constructor(source: ChunkSource, context: ConnectionContext, peer: ConnectionPeer) {
    const { socket } = source
    this.#socket = socket
    this.#context = context
    this.#bounds = context.bounds
    this.remoteAddress = peer.address
    this.encrypted = peer.encrypted
    const { wheel } = context
    const bounds = this.#bounds
    this.#headDeadline = new Deadline(wheel, bounds.headerTimeoutMs, () => this.#headLate())
    this.#idleDeadline = new Deadline(wheel, bounds.idleTimeoutMs, () => this.#expire())
    this.#bodyDeadlines = new BodyDeadlines(wheel, bounds, {
      received: () => this.#intake?.received ?? 0,
      streams: () => this.#intake?.mode === 'stream',
      late: () => this.#bodyLate(),
    })
    this.#replyPace = new ReplyPace(wheel, socket, {
      spanMs: bounds.replyStallTimeoutMs,
      bytesPerSecond: bounds.replyBytesPerSecond,
      tooSlow: () => this.#expire(),
    })
    this.#lingerDeadline = new Deadline(wheel, lingerMs, () => this.#socket.destroy())
    // RFC 9112 §9.5 leaves the figure to us: a connection must bring its first head in the time of a head.
    this.#headDeadline.start()
    socket.on('error', ignoreError)
    source.onChunk((chunk) => this.#onData(chunk))
    socket.on('drain', () => this.#onDrain())
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onClose())
  }

  /** Nothing under way: may be closed without harm. */
  get idle(): boolean {
    return this.#exchange === null && this.#reader.length === 0 && this.#backlog === null
  }

  /** Close now when idle, else after the reply under way. */
  drain(): void {
    if (!this.idle) return
    if (this.#socket.writableLength === 0) this.#socket.destroy()
    else this.#closeGently()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  // ExchangeHost

  mayPersist(): boolean {
    return !this.#context.draining && this.#restIsSmall()
  }

  put(text: string, content: Uint8Array | string | null, tail: string): boolean {
    const socket = this.#socket
    if (socket.destroyed) return true
    writeTogether(socket, this.#flush)
    const flowing =
      content === null ? socket.write(text + tail, 'latin1') : this.#putContent(text, content, tail)
    if (!flowing) this.#replyPace.start()
    return flowing
  }

  bodyAsked(flowing: boolean): void {
    const intake = this.#intake
    if (intake === null || intake.finished || this.#closing) return
    if (intake.broken !== null) {
      this.#pause()
      return
    }
    if (this.#expectsContinue && intake.received === 0) this.#socket.write(continueLine, 'latin1')
    this.#expectsContinue = false
    this.setBodyFlow(flowing)
  }

  setBodyFlow(flowing: boolean): void {
    if (this.#intake === null || this.#intake.finished || this.#intake.broken !== null) return
    if (flowing) {
      this.#bodyDeadlines.start()
      this.#resume()
    } else {
      this.#bodyDeadlines.clear()
      this.#pause()
    }
  }

  replyEnded(): void {
    // Inside the taking loop the loop itself goes on to the next request.
    if (!this.#taking) this.#afterReply()
  }

  cut(): void {
    this.#closing = true
    const exchange = this.#exchange
    this.#flush()
    if (exchange?.endsByClose === true && !this.encrypted) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  noteDropped(count: number): void {
    this.#context.counters.droppedHeaders += count
  }

  // Socket events

  #onData(chunk: Buffer): void {
    if (this.#closing) {
      this.#lingered += chunk.length
      if (this.#lingered > lingerBytes) this.#socket.destroy()
      return
    }
    if (this.#backlog === null) this.#take(chunk)
    else this.#keep(chunk)
  }

  #onDrain(): void {
    this.#replyPace.clear()
    if (this.#exchange !== null) this.#tell(() => this.#exchange?.drained())
    else if (!this.#closing) this.#next()
  }

  #onEnd(): void {
    if (this.#exchange !== null) this.#socket.destroy()
    else this.#closeGently()
  }

  #onClose(): void {
    this.#closing = true
    this.#headDeadline.clear()
    this.#idleDeadline.clear()
    this.#bodyDeadlines.clear()
    this.#replyPace.clear()
    this.#lingerDeadline.clear()
    this.#backlog = null
    const exchange = this.#exchange
    this.#exchange = null
    if (exchange !== null) this.#tell(() => exchange.disconnected())
  }

  /** Call into the pipeline where nobody else would catch. */
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#failed(error)
    }
  }

  // Requests in

  #take(chunk: Buffer): void {
    this.#taking = true
    try {
      this.#takeAll(chunk)
    } catch (error) {
      this.#failed(error)
      return
    }
    this.#taking = false
    if (this.#exchange !== null || this.#closing || this.#backlog !== null) return
    this.#resume()
    if (this.#reader.length === 0) this.#idleDeadline.restart()
  }

  #takeAll(chunk: Buffer): void {
    let rest: Buffer | null = chunk
    let heads = 0
    while (rest !== null && !this.#closing) {
      if (this.#exchange === null) {
        if (this.#socket.writableNeedDrain || heads === pipelinedInTurn) {
          this.#keep(rest)
          // Others have their turn; a socket that waits for its reader goes on when that one has taken something.
          if (heads === pipelinedInTurn) setImmediate(() => this.#closing || this.#next())
          break
        }
        heads += 1
        rest = this.#takeHead(rest)
      } else {
        rest = this.#takeBody(rest)
      }
      if (this.#exchange?.ended === true) this.#settle()
    }
  }

  #takeHead(chunk: Buffer): Buffer | null {
    this.#idleDeadline.clear()
    const reader = this.#reader
    const end = reader.push(chunk, this.#bounds.headerBytes)
    if (end < 0) {
      if (end === headIncomplete) this.#headDeadline.start()
      else this.#refuse(end === headTooLarge ? faults.headersTooLarge : faults.malformedHttp)
      return null
    }
    const head = parseRequestHead(reader.bytes, { start: 0, end }, this.#bounds.headerCount)
    let rest = reader.length > end ? reader.bytes.subarray(end, reader.length) : null
    reader.reset()
    this.#headDeadline.clear()
    if (typeof head === 'string') {
      this.#refuse(problemFaults[head])
      return null
    }
    const framing = head.chunked ? 'chunked' : 'length'
    const intake = head.contentLength === 0 ? null : new BodyIntake(framing, head.contentLength)
    this.#intake = intake
    this.#expectsContinue = head.expectContinue
    // The body that came along goes in first, so that a handler finds it whole in the usual case.
    if (intake !== null && rest !== null) {
      const used = intake.push(rest)
      if (used < 0) {
        this.#refuse(faults.bodyMalformed)
        return null
      }
      rest = used < rest.length ? rest.subarray(used) : null
    }
    const exchange = new Http1Exchange(this, head, intake)
    this.#exchange = exchange
    this.#context.handler(exchange)
    return rest
  }

  /** A handler, or a callback it gave, has thrown: answer 500 where that is still possible, and close. */
  #failed(error: unknown): void {
    this.#context.noteHandlerError(error)
    this.#taking = false
    const exchange = this.#exchange
    this.#exchange = null
    if (exchange === null || exchange.headSent || this.#closing) {
      this.#closing = true
      this.#socket.destroy()
    } else {
      this.put(refusalReply(faults.internal), null, '')
      this.#closeGently()
    }
    // Late calls of the handler must not write into the answer.
    if (exchange !== null) exchange.abandon()
  }

  #takeBody(chunk: Buffer): Buffer | null {
    const intake = this.#intake
    if (intake === null || intake.finished) {
      this.#keep(chunk)
      return null
    }
    if (intake.broken !== null) return null
    this.#bodyDeadlines.progress()
    const used = intake.push(chunk)
    if (intake.finished) this.#bodyDeadlines.clear()
    else if (intake.broken !== null || intake.mode === 'unasked') {
      this.#bodyDeadlines.clear()
      this.#pause()
    }
    return used >= 0 && used < chunk.length ? chunk.subarray(used) : null
  }

  #keep(chunk: Buffer): void {
    this.#backlog = this.#backlog === null ? chunk : Buffer.concat([this.#backlog, chunk])
    this.#pause()
  }

  // After a reply

  #afterReply(): void {
    this.#settle()
    if (!this.#closing && this.#exchange === null) this.#next()
  }

  /** The reply has ended: ready for another request, or closing; or still dropping the rest of a small body. */
  #settle(): void {
    const exchange = this.#exchange
    if (exchange === null) return
    const intake = this.#intake
    if (!exchange.persists || !this.mayPersist()) {
      this.#exchange = null
      this.#closeGently()
      return
    }
    if (intake !== null && !intake.finished) {
      if (intake.mode !== 'discard') {
        intake.discard()
        this.setBodyFlow(true)
      }
      return
    }
    this.#exchange = null
    this.#intake = null
  }

  #next(): void {
    if (this.#exchange !== null || this.#socket.writableNeedDrain) return
    const backlog = this.#backlog
    this.#backlog = null
    this.#resume()
    if (backlog !== null) this.#take(backlog)
    else if (this.#reader.length === 0) this.#idleDeadline.restart()
  }

  /** Whether the body is read, or little enough is left to read and drop it. */
  #restIsSmall(): boolean {
    const intake = this.#intake
    if (intake === null || intake.finished) return true
    if (intake.broken !== null || this.#expectsContinue) return false
    const remaining = intake.remaining
    return remaining !== undefined && remaining <= discardBytes
  }

  #refuse(fault: CatalogueEntry): void {
    const { code: reason, status } = fault
    this.#context.counters.refused += 1
    this.#context.noteRefusal({ reason, status, address: this.remoteAddress })
    this.put(refusalReply(fault), null, '')
    this.#closeGently()
  }

  #closeGently(): void {
    if (this.#closing) return
    this.#closing = true
    this.#headDeadline.clear()
    this.#idleDeadline.clear()
    this.#bodyDeadlines.clear()
    this.#backlog = null
    this.#resume()
    if (this.#socket.writableLength > 0) this.#replyPace.start()
    this.#socket.end(() => {
      this.#replyPace.clear()
      if (this.#socket.destroyed) return
      this.#lingerDeadline.start()
    })
  }

  // Writing

  #putContent(text: string, content: Uint8Array | string, tail: string): boolean {
    const socket = this.#socket
    const size = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength
    if (typeof content === 'string' && size === content.length) {
      // As many bytes as characters: ASCII, which latin1 writes alike.
      return socket.write(text + content + tail, 'latin1')
    }
    if (size > copyBytes) {
      if (text !== '') socket.write(text, 'latin1')
      let flowing = typeof content === 'string' ? socket.write(content, 'utf8') : socket.write(content)
      if (tail !== '') flowing = socket.write(tail, 'latin1')
      return flowing
    }
    if (text === '' && tail === '')
      return typeof content === 'string' ? socket.write(content) : socket.write(content)
    const joined = Buffer.allocUnsafe(text.length + size + tail.length)
    joined.write(text, 0, 'latin1')
    if (typeof content === 'string') joined.write(content, text.length, 'utf8')
    else joined.set(content, text.length)
    joined.write(tail, text.length + size, 'latin1')
    return socket.write(joined)
  }

  // Flow and deadlines

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }

  #expire(): void {
    this.#context.counters.timedOut += 1
    this.#socket.destroy()
  }

  #headLate(): void {
    // Nothing was sent: there is no request to answer.
    if (this.#reader.length === 0) {
      this.#expire()
      return
    }
    this.#context.counters.timedOut += 1
    this.#refuse(faults.headerTimeout)
  }

  #bodyLate(): void {
    const intake = this.#intake
    if (intake === null || intake.finished) return
    if (intake.mode === 'discard') {
      this.#expire()
      return
    }
    this.#context.counters.timedOut += 1
    this.#bodyDeadlines.clear()
    this.#pause()
    this.#tell(() => intake.fail('timeout'))
  }
}

function ignoreError(): void {
  // 'close' follows and settles everything; the cause is the client's business.
}
