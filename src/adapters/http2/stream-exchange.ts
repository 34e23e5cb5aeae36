/**
 * One HTTP/2 stream as an exchange, over the stream API of `node:http2` (not the compatibility API).
 * Assumes checked request fields. Flow control is the protocol's: what nobody asked for is not read, so the client's
 * window stays shut. Bounds: body deadlines; each piece of a reply must be taken within the reply stall timeout, also
 * by a client that keeps its window shut. Large replies are handed over in pieces of 16 KiB, which makes that a rate.
 */
import { constants, type ServerHttp2Stream } from 'node:http2'
import { faults } from '../../faults/catalogue.ts'
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import type { BodyFailureKind, Inbound, ListenerBounds, Reply } from '../../ports/listener.ts'
import type { BodySink } from '../../ports/upstream-client.ts'
import { BodyDeadlines } from '../http1/body-deadlines.ts'
import { BodyIntake } from '../http1/body-intake.ts'
import { Deadline } from '../http1/deadline.ts'
import { refusalBody } from '../http1/refusal.ts'
import { isListenerField, isSafeValue } from '../http1/reply-head.ts'
import type { Http2Request } from './request-fields.ts'

/** What a stream needs of its session. */
export interface StreamHost {
  readonly remoteAddress: string
  readonly wheel: TimerWheel
  readonly bounds: ListenerBounds
  noteDropped(count: number): void
  /** Bytes of a body have come. */
  noteContent(bytes: number): void
  noteTimeout(): void
  noteHandlerError(error: unknown): void
}

const empty = Buffer.alloc(0)
const jsonContent = ['content-type', 'application/json']
const pieceBytes = 16 * 1024
/** RFC 9113 §6.9.2: what a client may send of a body before anyone reads. */
const initialWindowBytes = 65_535

export class Http2Exchange implements Inbound, Reply {
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly remoteAddress: string
  readonly encrypted = true
  readonly httpVersion = '2'
  readonly contentLength: number | undefined
  readonly startedAt = performance.now()
  headSent = false
  ended = false
  readonly #stream: ServerHttp2Stream
  readonly #host: StreamHost
  readonly #expectsContinue: boolean
  readonly #intake: BodyIntake | null
  readonly #deadlines: BodyDeadlines
  readonly #stall: Deadline
  #reading = false
  #status = 500
  #fields: readonly string[] = []
  #rest: Buffer | null = null
  #disconnectHandler: (() => void) | null = null
  #drainHandler: (() => void) | null = null
  #gone = false

  constructor(stream: ServerHttp2Stream, request: Http2Request, host: StreamHost) {
    this.#stream = stream
    this.#host = host
    this.method = request.method
    this.target = request.target
    this.headers = request.headers
    this.remoteAddress = host.remoteAddress
    const bodiless = stream.endAfterHeaders
    this.contentLength = bodiless ? 0 : request.contentLength
    this.#expectsContinue = request.expectContinue
    this.#intake = bodiless ? null : new BodyIntake('frames', request.contentLength)
    this.#deadlines = new BodyDeadlines(host.wheel, host.bounds, {
      received: () => this.#intake?.received ?? 0,
      streams: () => this.#intake?.mode === 'stream',
      late: () => this.#bodyLate(),
    })
    this.#stall = new Deadline(host.wheel, host.bounds.replyStallTimeoutMs, () => this.#stalled())
    stream.on('drain', () => this.#drained())
    stream.on('close', () => this.#closed())
    if (bodiless) stream.resume()
  }

  get reply(): Reply {
    return this
  }

  readBody(maxBytes: number, done: (failure: BodyFailureKind | null, body: Buffer) => void): void {
    if (this.#intake === null) {
      done(null, empty)
      return
    }
    this.#intake.readBody(maxBytes, done)
    this.#asked(this.#intake)
  }

  streamBody(maxBytes: number, sink: BodySink): void {
    if (this.#intake === null) {
      sink.end()
      return
    }
    this.#intake.streamBody(maxBytes, sink)
    this.#asked(this.#intake)
  }

  pauseBody(): void {
    if (!this.#bodyOpen()) return
    this.#deadlines.clear()
    this.#stream.pause()
  }

  resumeBody(): void {
    if (!this.#bodyOpen()) return
    this.#deadlines.start()
    this.#stream.resume()
  }

  onDisconnect(handler: () => void): void {
    if (this.#gone && !this.ended) process.nextTick(handler)
    else this.#disconnectHandler = handler
  }

  onDrain(handler: () => void): void {
    this.#drainHandler = handler
  }

  head(status: number, headers: readonly string[]): void {
    if (this.ended || this.headSent) return
    this.#status = Number.isInteger(status) && status >= 200 && status <= 599 ? status : 500
    this.#fields = headers
  }

  flushHead(): void {
    if (this.ended || this.#gone || this.headSent) return
    this.#respond(-1)
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.ended || this.#gone) return true
    if (!this.headSent) this.#respond(-1)
    if (this.#hasNoContent() || chunk.length === 0) return true
    const flowing = this.#stream.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    if (!flowing) this.#stall.start()
    return flowing
  }

  end(chunk?: Uint8Array | string): void {
    if (this.ended || this.#gone) return
    const content = chunk === undefined ? empty : asBuffer(chunk)
    if (!this.headSent) this.#respond(content.length)
    this.ended = true
    this.#deadlines.clear()
    this.#rest = this.#hasNoContent() ? empty : content
    this.#pump()
  }

  send(status: number, headers: readonly string[], body: Uint8Array | string): void {
    this.head(status, headers)
    this.end(body)
  }

  destroy(): void {
    if (this.ended || this.#gone) return
    this.ended = true
    this.#breakOff()
  }

  /** The handler, or a callback it gave, has thrown: answer 500 where that is still possible. */
  failed(error: unknown): void {
    this.#host.noteHandlerError(error)
    if (this.headSent || this.#gone) this.destroy()
    else this.send(faults.internal.status, jsonContent, refusalBody(faults.internal))
  }

  #asked(intake: BodyIntake): void {
    if (this.#gone || this.ended || this.#reading || intake.broken !== null) return
    this.#reading = true
    const stream = this.#stream
    if (stream.destroyed || stream.closed) return
    if (this.#expectsContinue && !this.headSent) stream.additionalHeaders({ ':status': 100 })
    this.#deadlines.start()
    stream.on('data', (chunk: Buffer) => {
      this.#deadlines.progress()
      this.#host.noteContent(chunk.length)
      this.#tell(() => intake.push(chunk))
      if (intake.broken !== null) {
        this.#deadlines.clear()
        stream.pause()
      }
    })
    stream.on('end', () => {
      this.#deadlines.clear()
      // A reset ends the readable side too; only the client's own end is the end of the body.
      if (!stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR) {
        this.#tell(() => intake.finish())
      }
    })
  }

  #bodyOpen(): boolean {
    const intake = this.#intake
    return this.#reading && !this.#gone && !this.ended && intake?.finished === false && intake.broken === null
  }

  #bodyLate(): void {
    this.#host.noteTimeout()
    this.#stream.pause()
    this.#tell(() => this.#intake?.fail('timeout'))
  }

  #hasNoContent(): boolean {
    return this.method === 'HEAD' || this.#status === 204 || this.#status === 304
  }

  /** @param wholeSize size of the whole content when it is known, else -1 */
  #respond(wholeSize: number): void {
    this.headSent = true
    const raw: string[] = [':status', String(this.#status)]
    let dropped = 0
    let declared = false
    for (let index = 0; index + 1 < this.#fields.length; index += 2) {
      const name = (this.#fields[index] ?? '').toLowerCase()
      const value = this.#fields[index + 1] ?? ''
      if (isListenerField(name)) continue
      const length = name === 'content-length'
      if (length && (declared || (wholeSize !== -1 && this.method !== 'HEAD'))) continue
      declared ||= length
      if (isSafeName(name) && isSafeValue(value)) raw.push(name, value)
      else dropped += 1
    }
    if (wholeSize !== -1 && !declared && !this.#hasNoContent()) raw.push('content-length', String(wholeSize))
    if (dropped !== 0) this.#host.noteDropped(dropped)
    // A stream that the client has reset since takes no more; `close` follows.
    if (!this.#stream.destroyed && !this.#stream.closed) this.#stream.respond(raw)
  }

  /** Hand over what the reader takes; the rest waits for `drain`. */
  #pump(): void {
    const stream = this.#stream
    let rest = this.#rest ?? empty
    while (rest.length > pieceBytes) {
      const flowing = stream.write(rest.subarray(0, pieceBytes))
      rest = rest.subarray(pieceBytes)
      if (!flowing) {
        this.#rest = rest
        this.#stall.start()
        return
      }
    }
    this.#rest = null
    if (rest.length === 0) stream.end()
    else stream.end(rest)
    if (!stream.writableFinished) this.#stall.restart()
    stream.once('finish', () => this.#stall.clear())
    // RFC 9113 §8.1: after a whole reply the client may be told to stop sending; else the stream would stay open.
    if (this.#intake?.finished === false) stream.close(constants.NGHTTP2_NO_ERROR)
  }

  #drained(): void {
    this.#stall.clear()
    if (this.#rest !== null) this.#pump()
    else if (!this.ended) this.#tell(() => this.#drainHandler?.())
  }

  #stalled(): void {
    this.#host.noteTimeout()
    this.#rest = null
    this.#breakOff()
  }

  /** `close` would send END_STREAM before the reset, and a cut reply would look whole. */
  #breakOff(): void {
    this.#stream.destroy(new Error('the reply was broken off'))
  }

  #closed(): void {
    if (this.#gone) return
    this.#gone = true
    // What came, or was on its way, when nobody read any more.
    if (this.#intake?.finished === false) this.#host.noteContent(initialWindowBytes)
    this.#deadlines.clear()
    this.#stall.clear()
    this.#rest = null
    this.#tell(() => this.#intake?.fail('aborted'))
    if (this.ended) return
    const handler = this.#disconnectHandler
    this.#disconnectHandler = null
    if (handler !== null) this.#tell(handler)
  }

  /** Call into the pipeline where nobody else would catch. */
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.failed(error)
    }
  }
}

function asBuffer(chunk: Uint8Array | string): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk)
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

function isSafeName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)
}
