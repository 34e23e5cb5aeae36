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
  const decoder = new StringDecoder('utf8')
  let atStart = true
  let skipLineFeed = false
  let partialLine = ''
  let eventName = ''
  let data = ''
  let hasData = false

  function bound(length: number): void {
    if (length > maxEventLength) {
      throw new Fault(faults.upstreamTooLarge, { public: { limit: maxEventLength }, internal: 'SSE event' })
    }
  }

  function dispatch(emit: (event: SseEvent) => void): void {
    const event = hasData ? { event: eventName === '' ? 'message' : eventName, data } : undefined
    eventName = ''
    data = ''
    hasData = false
    if (event !== undefined) emit(event)
  }

  function field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon === -1 ? line : line.slice(0, colon)
    if (name !== 'data' && name !== 'event') return
    const from = line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1
    const value = colon === -1 ? '' : line.slice(from)
    if (name === 'event') {
      eventName = value
      return
    }
    bound(data.length + value.length)
    data = hasData ? `${data}\n${value}` : value
    hasData = true
  }

  function line(text: string, emit: (event: SseEvent) => void): void {
    if (text === '') dispatch(emit)
    else field(text)
  }

  function scan(text: string, emit: (event: SseEvent) => void): void {
    let from = 0
    if (skipLineFeed && text.charCodeAt(0) === 0x0a) from = 1
    skipLineFeed = false
    // A search that found nothing is not repeated for the rest of the chunk.
    let lf = text.indexOf('\n', from)
    let cr = text.indexOf('\r', from)
    while (lf !== -1 || cr !== -1) {
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr
      const head = text.slice(from, end)
      const whole = partialLine === '' ? head : partialLine + head
      partialLine = ''
      from = end + 1
      if (end === cr) {
        if (from === text.length) skipLineFeed = true
        else if (lf === from) from += 1
        cr = text.indexOf('\r', from)
      }
      if (lf !== -1 && lf < from) lf = text.indexOf('\n', from)
      line(whole, emit)
    }
    if (from < text.length) {
      partialLine += from === 0 ? text : text.slice(from)
      bound(partialLine.length + data.length)
    }
  }

  return {
    push(chunk, emit) {
      let text = decoder.write(chunk)
      if (text === '') return
      if (atStart) {
        atStart = false
        if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
        if (text === '') return
      }
      scan(text, emit)
    },
    finish(emit) {
      const rest = partialLine + decoder.end()
      partialLine = ''
      if (rest !== '') field(rest)
      dispatch(emit)
    },
  }
}

/**
 * One event as text: `event: <name>` where a name is given, `data: <data>`, blank line. `data` is JSON text or
 * another text without line breaks.
 */
export function sseEvent(data: string, event?: string): string {
  return event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`
}
