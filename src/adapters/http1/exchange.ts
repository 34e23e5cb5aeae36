/**
 * One HTTP/1.x exchange: the request as the pipeline sees it, and the way back. One object is both `Inbound` and
 * `Reply`, so a request costs one allocation.
 *
 *   reply:  idle ─head()─▶ drafted ─flushHead/write─▶ head sent ─write*─▶ end ─▶ ended
 *                             └───────────── end / send ────────────────────▶ ended     (one write, length known)
 *
 * Assumes a host that owns the socket, and `head` before content; without it the reply is a bare 500. Once the reply has ended or the client is gone, late calls do nothing.
 * Bounds: nothing is buffered here but a drafted head; back-pressure is the host's.
 */
import type { BodyFailureKind, Inbound, Reply } from '../../ports/listener.ts'
import type { BodySink } from '../../ports/upstream-client.ts'
import type { BodyIntake } from './body-intake.ts'
import type { RequestHead } from './head.ts'
import { currentDateLine, draftFields, type HeadDraft, statusLine } from './reply-head.ts'

/** What an exchange needs of its connection. */
export interface ExchangeHost {
  readonly remoteAddress: string
  readonly encrypted: boolean
  /** Whether the connection may serve another request after this one, as far as is known now. */
  mayPersist(): boolean
  /** Write text of latin1 characters, and content after it, in one go. False: the reader is slow. */
  put(text: string, content: Uint8Array | string | null, tail: string): boolean
  /** @param flowing false: the reader has paused already */
  bodyAsked(flowing: boolean): void
  setBodyFlow(flowing: boolean): void
  replyEnded(): void
  /** Close so that the client sees a broken reply. */
  cut(): void
  noteDropped(count: number): void
}

const empty = Buffer.alloc(0)
const lastChunk = '0\r\n\r\n'
const lengthFraming = 0
const chunkedFraming = 1
const closeFraming = 2
const noContent = 3

export class Http1Exchange implements Inbound, Reply, HeadDraft {
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly remoteAddress: string
  readonly encrypted: boolean
  readonly httpVersion: '1.0' | '1.1'
  readonly contentLength: number | undefined
  readonly startedAt: number
  headSent = false
  ended = false
  /** Decided when the head is serialised. */
  persists = false
  /** Null: the request has no body. */
  readonly intake: BodyIntake | null
  fields = ''
  declaredLength = -1
  dropped = 0
  readonly #host: ExchangeHost
  readonly #requestPersists: boolean
  #flowing = true
  #status = 0
  #framing = lengthFraming
  #written = 0
  #disconnectHandler: (() => void) | null = null
  #drainHandler: (() => void) | null = null
  #gone = false

  constructor(host: ExchangeHost, head: RequestHead, intake: BodyIntake | null) {
    this.#host = host
    this.method = head.method
    this.target = head.target
    this.headers = head.headers
    this.remoteAddress = host.remoteAddress
    this.encrypted = host.encrypted
    this.httpVersion = head.minorVersion === 1 ? '1.1' : '1.0'
    this.contentLength = head.contentLength
    this.startedAt = performance.now()
    this.intake = intake
    this.#requestPersists = head.keepAlive
  }

  get reply(): Reply {
    return this
  }

  /** When the reply lasts until close, only a reset shows that it is broken. */
  get endsByClose(): boolean {
    return this.headSent && this.#framing === closeFraming
  }

  readBody(maxBytes: number, done: (failure: BodyFailureKind | null, body: Buffer) => void): void {
    if (this.intake === null) {
      done(null, empty)
      return
    }
    this.intake.readBody(maxBytes, done)
    this.#asked(this.intake)
  }

  streamBody(maxBytes: number, sink: BodySink): void {
    if (this.intake === null) {
      sink.end()
      return
    }
    this.intake.streamBody(maxBytes, sink)
    this.#asked(this.intake)
  }

  pauseBody(): void {
    this.#flowing = false
    if (!this.#gone && !this.ended) this.#host.setBodyFlow(false)
  }

  resumeBody(): void {
    this.#flowing = true
    if (!this.#gone && !this.ended) this.#host.setBodyFlow(true)
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
    this.#status = status
    this.dropped = 0
    this.declaredLength = -1
    draftFields(headers, this)
    if (this.dropped !== 0) this.#host.noteDropped(this.dropped)
  }

  flushHead(): void {
    if (this.#closed() || this.headSent) return
    this.#host.put(this.#serialiseHead(-1), null, '')
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#closed()) return true
    const size = sizeOf(chunk)
    const head = this.headSent ? '' : this.#serialiseHead(-1)
    if (this.#framing === noContent || size === 0) return head === '' ? true : this.#host.put(head, null, '')
    if (this.#framing === chunkedFraming) {
      return this.#host.put(`${head}${size.toString(16)}\r\n`, chunk, '\r\n')
    }
    this.#written += size
    if (this.#overruns()) return true
    return this.#host.put(head, chunk, '')
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#closed()) return
    const size = chunk === undefined ? 0 : sizeOf(chunk)
    const head = this.headSent ? '' : this.#serialiseHead(size)
    const content = size === 0 || chunk === undefined ? null : chunk
    if (this.#framing === noContent) {
      if (head !== '') this.#host.put(head, null, '')
    } else if (this.#framing === chunkedFraming) {
      if (content === null) this.#host.put(`${head}${lastChunk}`, null, '')
      else this.#host.put(`${head}${size.toString(16)}\r\n`, content, `\r\n${lastChunk}`)
    } else {
      this.#written += size
      if (this.#overruns()) return
      if (this.#framing === lengthFraming && this.#written < this.declaredLength) {
        // Shorter than announced: the client must not take the next reply for the rest of this one.
        this.destroy()
        return
      }
      if (head !== '' || content !== null) this.#host.put(head, content, '')
    }
    this.ended = true
    this.#host.replyEnded()
  }

  send(status: number, headers: readonly string[], body: Uint8Array | string): void {
    this.head(status, headers)
    this.end(body)
  }

  destroy(): void {
    if (this.#gone || this.ended) return
    this.ended = true
    this.#gone = true
    this.#host.cut()
  }

  /** The connection has answered in its own words: nothing from here reaches the wire any more. */
  abandon(): void {
    this.ended = true
    this.#gone = true
  }

  /** The reader caught up. */
  drained(): void {
    if (!this.ended) this.#drainHandler?.()
  }

  /** The connection is gone; tells the pipeline when the reply had not ended. */
  disconnected(): void {
    if (this.#gone) return
    this.#gone = true
    this.intake?.fail('aborted')
    if (this.ended) return
    const handler = this.#disconnectHandler
    this.#disconnectHandler = null
    handler?.()
  }

  /** A reader may have replied at once; then the connection is at another request already. */
  #asked(intake: BodyIntake): void {
    if (!this.#gone && !this.ended && !intake.finished) this.#host.bodyAsked(this.#flowing)
  }

  #closed(): boolean {
    return this.ended || this.#gone
  }

  #overruns(): boolean {
    if (this.#framing !== lengthFraming || this.#written <= this.declaredLength) return false
    this.destroy()
    return true
  }

  /** @param wholeSize size of the whole content when it is known, else -1 */
  #serialiseHead(wholeSize: number): string {
    this.headSent = true
    const status = this.#status
    let framing = ''
    if (status === 204 || status === 304) {
      this.#framing = noContent
    } else {
      if (this.declaredLength === -1 || wholeSize !== -1) {
        // A HEAD reply may announce the length that GET would have (RFC 9110 §9.3.2).
        if (this.method !== 'HEAD' || this.declaredLength === -1) this.declaredLength = wholeSize
      }
      framing = this.#chooseFraming()
      if (this.method === 'HEAD') this.#framing = noContent
    }
    this.persists = this.#requestPersists && this.#framing !== closeFraming && this.#host.mayPersist()
    let connection = ''
    if (!this.persists) connection = 'connection: close\r\n'
    else if (this.httpVersion === '1.0') connection = 'connection: keep-alive\r\n'
    return `${statusLine(status)}${this.fields}${currentDateLine()}${connection}${framing}\r\n`
  }

  #chooseFraming(): string {
    if (this.declaredLength !== -1) {
      this.#framing = lengthFraming
      return `content-length: ${this.declaredLength}\r\n`
    }
    if (this.httpVersion === '1.1') {
      this.#framing = chunkedFraming
      return 'transfer-encoding: chunked\r\n'
    }
    this.#framing = closeFraming
    return ''
  }
}

function sizeOf(chunk: Uint8Array | string): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength
}
