/**
 * One detector over one text as it comes, in pieces cut anywhere: the same matches, whatever the pieces. Keeps only
 * what is not decided yet, and the one character before it.
 *
 * Bound: what is not decided has at most `holdBack` characters that are seen. Unseen ones among them are limited by
 * `mostUndecided`; a text that hides more is let go on from there.
 */
import type { Continuation, Detector, Match } from './detector.ts'
import { foldText, originalSpan } from './fold-text.ts'

/** Characters of any kind that wait for a decision. */
export const mostUndecided = 4096

export interface Advance {
  /** Places count from the beginning of the text. */
  readonly matches: readonly Match[]
  /** The match before these goes on to here; -1: none was open. */
  readonly continuedTo: number
  /** The last match (of these, or the one that was open) may still go on. */
  readonly isOpen: boolean
  /** Nothing before it will become part of a further match. */
  readonly settled: number
}

export class TextScanner {
  readonly #detector: Detector
  /** Not decided, as it was sent. */
  #pending = ''
  /** Where it stands in the text. */
  #offset = 0
  /** The folded character before it. */
  #context = ''
  #open: Continuation | null = null

  constructor(detector: Detector) {
    this.#detector = detector
  }

  advance(chunk: string, isLast: boolean): Advance {
    const whole = this.#pending + chunk
    const isTorn = !isLast && isHighSurrogate(whole.charCodeAt(whole.length - 1))
    const text = isTorn ? whole.slice(0, -1) : whole
    const torn = isTorn ? whole.slice(-1) : ''
    const folded = foldText(text)
    const read: Read = { text, torn, folded: folded.text, places: folded.places, isLast }
    if (this.#open === null) return this.#scan(read, { from: 0, continuedTo: -1 })
    const from = this.#open.consume(read.folded, 0)
    const end = originalSpan(text, read.places, { start: 0, end: from }).end
    const continuedTo = from === 0 ? -1 : this.#offset + end
    if (from === read.folded.length && !isLast) {
      this.#moveTo(end, read)
      return { matches: [], continuedTo, isOpen: true, settled: this.#offset }
    }
    this.#open = null
    return this.#scan(read, { from, continuedTo })
  }

  #scan(read: Read, { from, continuedTo }: { readonly from: number; readonly continuedTo: number }): Advance {
    const { text, folded, places, isLast } = read
    const context = from > 0 ? folded.slice(from - 1, from) : this.#context
    const shift = from - context.length
    const piece = { text: context + folded.slice(from), from: context.length, isLast }
    const { matches, settled, open } = this.#detector.scan(piece)
    const base = this.#offset
    const placed = matches.map((match) => {
      const span = originalSpan(text, places, { start: match.start + shift, end: match.end + shift })
      return { ...match, start: base + span.start, end: base + span.end }
    })
    this.#open = open
    const lastEnd = placed.at(-1)?.end ?? base
    if (open !== null) this.#moveTo(lastEnd - base, read)
    else this.#moveTo(places === null ? settled + shift : (places[settled + shift] ?? text.length), read)
    return { matches: placed, continuedTo, isOpen: open !== null, settled: this.#offset }
  }

  /** What stands before `at` is decided. */
  #moveTo(at: number, { text, folded, places, torn }: Read): void {
    const end = Math.max(at, text.length - mostUndecided)
    this.#pending = text.slice(end) + torn
    this.#offset += end
    const decided = places === null ? end : countBefore(places, end)
    if (decided > 0) this.#context = folded.slice(decided - 1, decided)
  }
}

interface Read {
  readonly text: string
  /** Half a character, whose other half is to come. */
  readonly torn: string
  readonly folded: string
  readonly places: Uint32Array | null
  readonly isLast: boolean
}

/** How many folded characters come from before `end`. */
function countBefore(places: Uint32Array, end: number): number {
  let count = places.length - 1
  while (count > 0 && (places[count - 1] ?? 0) >= end) count -= 1
  return count
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}
