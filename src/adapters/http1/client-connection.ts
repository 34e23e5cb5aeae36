/**
 * One connection to an upstream: writes requests, reads responses, at most one exchange at a time, no pipelining.
 * Response framing is strict (RFC 9112 §6.3): whatever two parsers could read differently ends the connection.
 *
 * Reading goes around the stream machinery (`onread`): the kernel fills a buffer that all connections of a thread
 * share, payload is copied out once, and only then is anyone called. So a handler owns the bytes it gets, and may
 * start, pause or abort calls at will.
 *
 * Bounds: `ConnectionBounds`; 16 interim responses; one read (64 KiB) of payload after a pause.
 */
import type { Socket } from 'node:net'
import { type ChunkedDecoder, createChunkedDecoder } from './chunked.ts'
import { parseResponseHead, type ResponseHead } from './head.ts'
import { createHeadReader, headIncomplete, headMalformed, headTooLarge } from './head-reader.ts'
import { writeTogether } from './write-together.ts'

export interface ConnectionBounds {
  readonly headerBytes: number
  readonly headerCount: number
}

/** What a connection reports about the exchange it carries. */
export interface Exchange {
  /** For framing: HEAD has no response body. */
  readonly isHead: boolean
  /** The whole request has been handed to the socket: else the connection cannot be reused. */
  readonly requestSent: boolean
  head(status: number, headers: readonly string[]): void
  data(chunk: Buffer): void
  /** Everything read so far was handed on, and more is to come. */
  expecting(): void
  /** Complete; the connection has been released already. */
  end(): void
  broken(kind: 'reset' | 'protocol', internal: string): void
  /** The socket takes bytes again. */
  drained(): void
}

/** Who keeps the connection between exchanges. */
export interface ConnectionKeeper {
  /** Reusable for `keepAliveMs` at most (undefined: the server did not say). */
  released(connection: Http1Connection, keepAliveMs: number | undefined): void
  closed(connection: Http1Connection): void
}

type Phase = 'idle' | 'head' | 'length' | 'chunked' | 'close'

const maxInterim = 16
/** Up to here head and body are joined into one buffer: cheaper than a gathered write. */
const joinedBodyBytes = 16_384
const empty = Buffer.alloc(0)

export class Http1Connection {
  readonly #socket: Socket
  readonly #keeper: ConnectionKeeper
  readonly #bounds: ConnectionBounds
  readonly #reader = createHeadReader()
  #exchange: Exchange | null = null
  #phase: Phase = 'idle'
  #remaining = 0
  #decoder: ChunkedDecoder | null = null
  /** Decoded payload of the read under way. */
  #payload: Buffer = empty
  #filled = 0
  #interim = 0
  #keepAlive = false
  #keepAliveMs: number | undefined
  #closed = false
  #paused = false
  /** Bytes of a response to the present exchange were seen. */
  answered = false
  /** No byte of the present request can have left. */
  untouched = true
  /** Exchanges carried before the present one. */
  served = 0
  /** Monotone milliseconds until which the pool may hand it out. */
  idleUntil = 0
  /** Monotone milliseconds from which on it is not pooled again. */
  lifeUntil = Number.POSITIVE_INFINITY
  readonly #flush = (): void => {
    if (this.#closed) return
    this.#socket.uncork()
    this.#noteWritten()
  }

  constructor(socket: Socket, keeper: ConnectionKeeper, bounds: ConnectionBounds) {
    this.#socket = socket
    this.#keeper = keeper
    this.#bounds = bounds
    socket.on('drain', () => this.#exchange?.drained())
    socket.on('end', () => this.#ended())
    socket.on('error', (error) => this.#gone('code' in error ? String(error.code) : 'socket error'))
    socket.on('close', () => this.#gone('closed'))
  }

  /** Fit for another request, as far as this side knows. */
  get usable(): boolean {
    return !this.#closed && this.#socket.writable && !this.#socket.readableEnded
  }

  /** Begin an exchange with its whole request: written at the end of this turn, together with others. */
  begin(exchange: Exchange, head: string, body: Uint8Array | null): void {
    this.#adopt(exchange)
    const socket = this.#socket
    writeTogether(socket, this.#flush)
    if (body === null) {
      socket.write(head, 'latin1')
    } else if (body.length <= joinedBodyBytes) {
      const joined = Buffer.allocUnsafe(head.length + body.length)
      joined.write(head, 0, 'latin1')
      joined.set(body, head.length)
      socket.write(joined)
    } else {
      socket.write(head, 'latin1')
      socket.write(body)
    }
  }

  /** Begin an exchange whose body follows: its head is written at once. @returns false: it was refused */
  open(exchange: Exchange, head: string): boolean {
    this.#adopt(exchange)
    this.#socket.write(head, 'latin1')
    return this.#noteWritten()
  }

  #adopt(exchange: Exchange): void {
    this.#exchange = exchange
    this.#phase = 'head'
    this.#interim = 0
    this.answered = false
    this.untouched = true
  }

  /** A synchronous error is that of the first attempt to write, of which the kernel took nothing. */
  #noteWritten(): boolean {
    this.untouched = this.#socket.errored !== null
    return !this.untouched
  }

  /** More of the request body. @returns false: wait for `drained` */
  write(chunk: Uint8Array): boolean {
    return this.#socket.write(chunk)
  }

  /** One chunk in the chunked coding; empty chunks are left out, for they would end the body. */
  writeChunk(chunk: Uint8Array): boolean {
    if (chunk.length === 0) return true
    const socket = this.#socket
    socket.cork()
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    socket.write(chunk)
    const more = socket.write('\r\n', 'latin1')
    socket.uncork()
    return more
  }

  writeLastChunk(): void {
    this.#socket.write('0\r\n\r\n', 'latin1')
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    this.#socket.resume()
  }

  /** Close at once; the exchange, if any, hears nothing. */
  destroy(): void {
    this.#exchange = null
    if (this.#closed) return
    this.#closed = true
    this.#socket.destroy()
    this.#keeper.closed(this)
  }

  /** Bytes from the socket; valid during this call only. */
  receive(bytes: Buffer): void {
    const exchange = this.#exchange
    if (exchange === null) {
      // Bytes that nobody asked for would be taken for the next response.
      this.destroy()
      return
    }
    this.answered = true
    let head: ResponseHead | null = null
    let rest = bytes
    if (this.#phase === 'head') {
      const found = this.#readHead(bytes)
      if (found === null) return
      const problem = typeof found === 'string' ? found : this.#frame(found.head, exchange)
      if (typeof found === 'string' || problem !== null) {
        this.#breakOff('protocol', problem ?? '')
        return
      }
      head = found.head
      rest = found.rest
    }
    const taken = this.#take(rest)
    if (taken < 0) this.#breakOff('protocol', 'broken chunked coding')
    else this.#deliver(exchange, head, taken < rest.length)
  }

  /** The final response head once it is complete, null before, or what is wrong with it. */
  #readHead(bytes: Buffer): { readonly head: ResponseHead; readonly rest: Buffer } | string | null {
    const reader = this.#reader
    let input = bytes
    for (;;) {
      const end = reader.push(input, this.#bounds.headerBytes)
      if (end === headIncomplete) return null
      if (end === headMalformed) return 'malformed response head'
      if (end === headTooLarge) return 'response head too large'
      const head = parseResponseHead(reader.bytes, { start: 0, end }, this.#bounds.headerCount)
      const rest = reader.bytes.subarray(end, reader.length)
      reader.reset()
      if (typeof head === 'string') return `response head: ${head}`
      if (head.status >= 200) return { head, rest }
      // RFC 9110 §15.2: interim responses are skipped; 101 would change the protocol, which nobody asked for.
      if (head.status === 101) return 'unrequested upgrade'
      if (head.contentLength !== undefined || head.chunked) return 'interim response with a body'
      this.#interim += 1
      if (this.#interim > maxInterim) return 'too many interim responses'
      if (rest.length === 0) return null
      input = rest
    }
  }

  /** Body framing of the final response (RFC 9112 §6.3). @returns what is ambiguous, or null */
  #frame(head: ResponseHead, exchange: Exchange): string | null {
    this.#keepAlive = head.keepAlive
    this.#keepAliveMs = head.keepAlive ? keepAliveHint(head.headers) : undefined
    this.#remaining = 0
    if (exchange.isHead || head.status === 304) {
      this.#phase = 'length'
    } else if (head.status === 204) {
      // RFC 9110 §8.6: neither field may be there; a length of zero is common and harmless.
      if (head.chunked || (head.contentLength ?? 0) > 0) return '204 with a body'
      this.#phase = 'length'
    } else if (head.chunked) {
      this.#phase = 'chunked'
      this.#decoder = createChunkedDecoder((slice) => {
        slice.copy(this.#payload, this.#filled)
        this.#filled += slice.length
      })
    } else if (head.contentLength !== undefined) {
      this.#phase = 'length'
      this.#remaining = head.contentLength
    } else {
      this.#phase = 'close'
    }
    return null
  }

  /** Copy payload out of `rest`. @returns bytes that belong to this response, or -1 */
  #take(rest: Buffer): number {
    this.#filled = 0
    if (rest.length === 0) {
      this.#payload = empty
      return 0
    }
    if (this.#phase === 'chunked') {
      this.#payload = Buffer.allocUnsafe(rest.length)
      return this.#decoder?.push(rest) ?? -1
    }
    const taken = this.#phase === 'close' ? rest.length : Math.min(this.#remaining, rest.length)
    if (this.#phase === 'length') this.#remaining -= taken
    this.#payload = taken === 0 ? empty : Buffer.allocUnsafe(taken)
    rest.copy(this.#payload, 0, 0, taken)
    this.#filled = taken
    return taken
  }

  #deliver(exchange: Exchange, head: ResponseHead | null, surplus: boolean): void {
    const payload =
      this.#filled === this.#payload.length ? this.#payload : this.#payload.subarray(0, this.#filled)
    this.#payload = empty
    if (head !== null) {
      exchange.head(head.status, head.headers)
      if (this.#exchange !== exchange) return
    }
    if (payload.length > 0) {
      exchange.data(payload)
      if (this.#exchange !== exchange) return
    }
    const done =
      this.#phase === 'chunked'
        ? this.#decoder?.finished === true
        : this.#phase === 'length' && this.#remaining === 0
    if (done) this.#finish(exchange, surplus)
    else exchange.expecting()
  }

  #finish(exchange: Exchange, surplus: boolean): void {
    const reusable =
      this.#keepAlive && !surplus && exchange.requestSent && this.#phase !== 'close' && this.usable
    this.#exchange = null
    this.#phase = 'idle'
    this.#decoder = null
    if (reusable) {
      this.served += 1
      // An idle connection must notice when the other side closes it.
      if (this.#paused) this.resume()
      this.#keeper.released(this, this.#keepAliveMs)
    } else {
      this.destroy()
    }
    exchange.end()
  }

  #breakOff(kind: 'reset' | 'protocol', internal: string): void {
    const exchange = this.#exchange
    this.destroy()
    exchange?.broken(kind, internal)
  }

  #ended(): void {
    if (this.#phase === 'close' && this.#exchange !== null) this.#finish(this.#exchange, false)
    else this.#breakOff('reset', 'upstream closed the connection')
  }

  #gone(reason: string): void {
    if (!this.#closed) this.#breakOff('reset', reason)
  }
}

/** `Keep-Alive: timeout=5` in milliseconds; the field is a hint, so whatever else it holds is passed over. */
function keepAliveHint(headers: readonly string[]): number | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'keep-alive') {
      const seconds = /(?:^|[,; ])timeout=([0-9]{1,6})(?:$|[,; ])/i.exec(headers[i + 1] ?? '')
      return seconds === null ? undefined : Number(seconds[1]) * 1000
    }
  }
  return undefined
}
