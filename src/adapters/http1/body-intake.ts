/**
 * Takes one request's body off the connection and hands it to whoever asked, whole or piece by piece.
 *
 *   bytes ─▶ length count, chunked decoder or frames ─▶ unasked: held │ whole: gathered │ stream: sink │ discard, over: dropped
 *
 * Bounds: what is held before anyone asks is what the connection read before it paused (two reads); a whole body
 * is at most `maxBytes`, gathered in one buffer. With an announced length it has at most 1 MiB until so much has come,
 * and then room for all; without one it doubles, so that many small pieces cost no more than few large.
 */
import type { BodyFailureKind } from '../../ports/listener.ts'
import type { BodySink } from '../../ports/upstream-client.ts'
import { type ChunkedDecoder, createChunkedDecoder } from './chunked.ts'

export type WholeBodyDone = (failure: BodyFailureKind | null, body: Buffer) => void

export type BodyFraming = 'length' | 'chunked' | 'frames'

type Mode = 'unasked' | 'whole' | 'stream' | 'discard' | 'over'

const empty = Buffer.alloc(0)
const trustedCapacity = 1024 * 1024
const firstCapacity = 16 * 1024

export class BodyIntake {
  /** All of the body has been taken off the wire. */
  finished: boolean
  /** The body cannot be delivered; the connection must not be used for another request. */
  broken: BodyFailureKind | null = null
  /** Bytes of content seen so far. */
  received = 0
  mode: Mode = 'unasked'
  readonly #framing: BodyFraming
  readonly #length: number | undefined
  readonly #decoder: ChunkedDecoder | null
  #maxBytes = 0
  #held: Buffer[] | null = null
  #body: Buffer = empty
  #filled = 0
  #owned = false
  #done: WholeBodyDone | null = null
  #sink: BodySink | null = null

  /**
   * @param framing who finds the end: this object by counting or by decoding, or the caller by `finish` (HTTP/2)
   * @param length announced bytes, when there are any
   */
  constructor(framing: BodyFraming, length: number | undefined) {
    this.#framing = framing
    this.#length = length
    this.finished = length === 0
    this.#decoder = framing === 'chunked' ? createChunkedDecoder((slice) => this.#deliver(slice)) : null
  }

  /** Bytes still to come, when announced. */
  get remaining(): number | undefined {
    return this.#length === undefined ? undefined : this.#length - this.received
  }

  get holds(): boolean {
    return this.#held !== null
  }

  /** @returns bytes consumed; fewer than given only when the body is finished; -1: malformed */
  push(bytes: Buffer): number {
    if (this.#framing === 'frames') {
      this.#deliver(bytes)
      return bytes.length
    }
    const used = this.#decoder === null ? this.#pushLength(bytes) : this.#pushChunked(this.#decoder, bytes)
    if (this.finished) this.#conclude()
    return used
  }

  /** The end, where frames say so. */
  finish(): void {
    if (this.finished) return
    this.finished = true
    this.#conclude()
  }

  readBody(maxBytes: number, done: WholeBodyDone): void {
    this.mode = 'whole'
    this.#maxBytes = maxBytes
    this.#done = done
    this.#begin()
  }

  streamBody(maxBytes: number, sink: BodySink): void {
    this.mode = 'stream'
    this.#maxBytes = maxBytes
    this.#sink = sink
    this.#begin()
  }

  /** Nobody will ask any more: drop what comes. */
  discard(): void {
    this.mode = 'discard'
    this.#held = null
  }

  /** Break off; tells the reader at most once. */
  fail(kind: BodyFailureKind): void {
    if (this.finished) return
    this.broken ??= kind
    if (this.mode === 'unasked') return
    this.#tellFailure(this.broken)
  }

  #begin(): void {
    if (this.broken === null && this.#length !== undefined && this.#length > this.#maxBytes) {
      this.broken = 'too-large'
    }
    if (this.broken !== null) {
      this.#held = null
      this.#tellFailure(this.broken)
      return
    }
    const held = this.#held
    this.#held = null
    if (held !== null) for (const slice of held) this.#give(slice)
    if (this.finished) this.#conclude()
  }

  #pushLength(bytes: Buffer): number {
    const left = (this.#length ?? 0) - this.received
    const slice = bytes.length <= left ? bytes : bytes.subarray(0, left)
    this.finished = slice.length === left
    this.#deliver(slice)
    return slice.length
  }

  #pushChunked(decoder: ChunkedDecoder, bytes: Buffer): number {
    const used = decoder.push(bytes)
    if (used < 0) this.fail('malformed')
    else this.finished = decoder.finished
    return used
  }

  #deliver(slice: Buffer): void {
    this.received += slice.length
    if (this.mode === 'unasked') {
      if (this.#held === null) this.#held = [slice]
      else this.#held.push(slice)
    } else {
      this.#give(slice)
    }
  }

  #give(slice: Buffer): void {
    if (this.mode === 'discard' || this.mode === 'over') return
    if (this.received > this.#maxBytes) {
      this.broken = 'too-large'
      this.#tellFailure('too-large')
    } else if (this.mode === 'stream') {
      this.#sink?.data(slice)
    } else {
      this.#gather(slice)
    }
  }

  #gather(slice: Buffer): void {
    const needed = this.#filled + slice.length
    if (this.#filled === 0 && this.finished) {
      this.#body = slice
      this.#filled = needed
      return
    }
    if (!this.#owned || needed > this.#body.length) {
      const wanted = this.#wantedCapacity()
      const grown = Buffer.allocUnsafe(Math.max(needed, wanted, Math.min(firstCapacity, this.#maxBytes)))
      this.#body.copy(grown, 0, 0, this.#filled)
      this.#body = grown
      this.#owned = true
    }
    slice.copy(this.#body, this.#filled)
    this.#filled = needed
  }

  #wantedCapacity(): number {
    const announced = this.#length
    if (announced === undefined) return 2 * this.#body.length
    return this.#filled < trustedCapacity ? Math.min(announced, trustedCapacity) : announced
  }

  #conclude(): void {
    if (this.mode === 'whole') {
      const done = this.#done
      const body = this.#filled === this.#body.length ? this.#body : this.#body.subarray(0, this.#filled)
      this.#release()
      done?.(null, body)
    } else if (this.mode === 'stream') {
      const sink = this.#sink
      this.#release()
      sink?.end()
    }
  }

  #tellFailure(kind: BodyFailureKind): void {
    const done = this.#done
    const sink = this.#sink
    this.#release()
    done?.(kind, empty)
    sink?.failure(kind)
  }

  #release(): void {
    this.mode = 'over'
    this.#done = null
    this.#sink = null
    this.#body = empty
    this.#filled = 0
  }
}
