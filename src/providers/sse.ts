/**
 * Server-sent events, read and written (WHATWG HTML §9.2 "Server-sent events").
 *
 * The parser is fed bytes cut anywhere, also inside a UTF-8 sequence or between CR and LF, and calls back once
 * per event. `id` and `retry` are ignored: no model API uses them. Each arriving character is scanned once, so
 * an event that comes in many small chunks costs linear time.
 * Bound: an event of more than `maxEventLength` characters (default 8 Mi; never more bytes than characters
 * allow, so a larger event is certainly larger in bytes) ends the stream with `faults.upstreamTooLarge`.
 */
import { StringDecoder } from 'node:string_decoder'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'

export interface SseEvent {
  /** Event name; `message` where the stream gave none. */
  readonly event: string
  /** Data lines joined by LF. */
  readonly data: string
}

export interface SseParser {
  /** Feed bytes; calls `emit` for each event that they complete. Throws a `Fault` past the bound. */
  push(chunk: Uint8Array, emit: (event: SseEvent) => void): void
  /**
   * The stream ended. An event without its closing blank line is emitted all the same: vendors leave the last
   * one open, and a cut one is found out when its JSON is parsed.
   */
  finish(emit: (event: SseEvent) => void): void
}

/** Default bound on one event, in characters. */
export const defaultMaxEventLength = 8 * 1024 * 1024

export function sseParser(maxEventLength: number = defaultMaxEventLength): SseParser {
  return new Parser(maxEventLength)
}

type Emit = (event: SseEvent) => void

class Parser implements SseParser {
  readonly #decoder = new StringDecoder('utf8')
  readonly #maxEventLength: number
  #atStart = true
  #skipLineFeed = false
  #partialLine = ''
  #eventName = ''
  #data = ''
  #hasData = false

  constructor(maxEventLength: number) {
    this.#maxEventLength = maxEventLength
  }

  push(chunk: Uint8Array, emit: Emit): void {
    let text = this.#decoder.write(chunk)
    if (text === '') return
    if (this.#atStart) {
      this.#atStart = false
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
      if (text === '') return
    }
    this.#scan(text, emit)
  }

  finish(emit: Emit): void {
    const rest = this.#partialLine + this.#decoder.end()
    this.#partialLine = ''
    if (rest !== '') this.#field(rest)
    this.#dispatch(emit)
  }

  #bound(length: number): void {
    if (length <= this.#maxEventLength) return
    throw new Fault(faults.upstreamTooLarge, {
      public: { limit: this.#maxEventLength },
      internal: 'SSE event',
    })
  }

  #dispatch(emit: Emit): void {
    const event = this.#eventName === '' ? 'message' : this.#eventName
    const data = this.#hasData ? this.#data : undefined
    this.#eventName = ''
    this.#data = ''
    this.#hasData = false
    if (data !== undefined) emit({ event, data })
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon === -1 ? line : line.slice(0, colon)
    if (name !== 'data' && name !== 'event') return
    const from = line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1
    const value = colon === -1 ? '' : line.slice(from)
    if (name === 'event') {
      this.#eventName = value
      return
    }
    this.#bound(this.#data.length + value.length)
    this.#data = this.#hasData ? `${this.#data}\n${value}` : value
    this.#hasData = true
  }

  #scan(text: string, emit: Emit): void {
    let from = this.#skipLineFeed && text.charCodeAt(0) === 0x0a ? 1 : 0
    this.#skipLineFeed = false
    // A search that found nothing is not repeated for the rest of the chunk.
    let lf = text.indexOf('\n', from)
    let cr = text.indexOf('\r', from)
    while (lf !== -1 || cr !== -1) {
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr
      const head = text.slice(from, end)
      const whole = this.#partialLine === '' ? head : this.#partialLine + head
      this.#partialLine = ''
      from = end + 1
      if (end === cr) {
        if (from === text.length) this.#skipLineFeed = true
        else if (lf === from) from += 1
        cr = text.indexOf('\r', from)
      }
      if (lf !== -1 && lf < from) lf = text.indexOf('\n', from)
      if (whole === '') this.#dispatch(emit)
      else this.#field(whole)
    }
    if (from === text.length) return
    this.#partialLine += from === 0 ? text : text.slice(from)
    this.#bound(this.#partialLine.length + this.#data.length)
  }
}

/**
 * One event as text: `event: <name>` where a name is given, `data: <data>`, blank line. `data` is JSON text or
 * another text without line breaks.
 */
export function sseEvent(data: string, event?: string): string {
  return event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`
}
