/**
 * Counts the tokens of a text under a vocabulary: cuts it into pieces as the vocabulary's pattern says, and merges the
 * bytes of each piece that is no token itself, lowest rank first, leftmost first.
 *
 * Bounds: a piece of n bytes takes O(n log n) by a heap, whatever it consists of; a piece of more than 2,048 characters
 * (the pattern allows runs of letters without end) is cut there, which adds at most a token a cut. 150 KB of scratch
 * space a thread; nothing of a text is kept.
 */
import { hashOf, type Vocabulary } from './vocabulary.ts'

const maxPieceChars = 2048
/** A character of a string is at most three bytes of UTF-8. */
const maxPieceBytes = maxPieceChars * 3
/** Each merge offers two pairs at most, and each byte one at the beginning. */
const maxOffers = maxPieceBytes * 3
/** Positions are below it: rank and position are one number. */
const positions = 8192
const none = -1

// Between two counts nothing of these matters, and a count never waits: one set serves all counters of the thread.
const piece = new Uint8Array(maxPieceBytes)
const next = new Int32Array(maxPieceBytes)
const previous = new Int32Array(maxPieceBytes)
/** Rank of the pair that begins at a part, while it is offered. */
const pairRanks = new Int32Array(maxPieceBytes)
const heap = new Float64Array(maxOffers)
const encoder = new TextEncoder()

/** UTF-8 of `text` into `piece`; most pieces are a few letters of ASCII, for which a loop is quicker than a call. */
function encode(text: string): number {
  if (text.length > 24) return encoder.encodeInto(text, piece).written
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code >= 0x80) return encoder.encodeInto(text, piece).written
    piece[at] = code
  }
  return text.length
}

export class TokenCounter {
  readonly #vocabulary: Vocabulary
  #heapSize = 0

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary
  }

  /** Tokens of `text`; names of special tokens in it are text like any other. */
  count(text: string): number {
    const { split } = this.#vocabulary
    split.lastIndex = 0
    let total = 0
    for (let match = split.exec(text); match !== null; match = split.exec(text)) {
      const [found] = match
      if (found.length <= maxPieceChars) total += this.#countPiece(found)
      else total += this.#countLong(found)
    }
    return total
  }

  #countLong(text: string): number {
    let total = 0
    for (let at = 0; at < text.length; at += maxPieceChars)
      total += this.#countPiece(text.slice(at, at + maxPieceChars))
    return total
  }

  #countPiece(text: string): number {
    const written = encode(text)
    if (written <= 1 || this.#rankOf(0, written) !== none) return 1
    return this.#countMerged(written)
  }

  /** Parts that are left when no pair of neighbours is a token any more. */
  #countMerged(length: number): number {
    this.#heapSize = 0
    for (let at = 0; at < length; at += 1) {
      next[at] = at + 1
      previous[at] = at - 1
    }
    for (let at = 0; at < length; at += 1) this.#offer(at, length)
    let parts = length
    while (this.#heapSize > 0) {
      const lowest = this.#takeLowest()
      const at = lowest % positions
      // Offered before one of the two was merged with another: the pair is gone.
      if (pairRanks[at] !== (lowest - at) / positions) continue
      const merged = next[at] ?? length
      const after = next[merged] ?? length
      next[at] = after
      if (after < length) previous[after] = at
      pairRanks[merged] = none
      parts -= 1
      this.#offer(at, length)
      const before = previous[at] ?? none
      if (before !== none) this.#offer(before, length)
    }
    return parts
  }

  /** The part at `at` and its right neighbour may be merged, if together they are a token. */
  #offer(at: number, length: number): void {
    const right = next[at] ?? length
    const rank = right >= length ? none : this.#rankOf(at, next[right] ?? length)
    pairRanks[at] = rank
    if (rank !== none) this.#push(rank * positions + at)
  }

  #rankOf(start: number, end: number): number {
    const { bytes, starts, slots, longest } = this.#vocabulary
    const length = end - start
    if (length > longest) return none
    const mask = slots.length - 1
    for (let slot = hashOf(piece, start, end) & mask; ; slot = (slot + 1) & mask) {
      const token = (slots[slot] ?? 0) - 1
      if (token === none) return none
      const from = starts[token] ?? 0
      if ((starts[token + 1] ?? 0) - from !== length) continue
      let same = 0
      while (same < length && bytes[from + same] === piece[start + same]) same += 1
      if (same === length) return token
    }
  }

  #push(value: number): void {
    let at = this.#heapSize
    this.#heapSize += 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] ?? 0
      if (above <= value) break
      heap[at] = above
      at = parent
    }
    heap[at] = value
  }

  #takeLowest(): number {
    const lowest = heap[0] ?? 0
    this.#heapSize -= 1
    const size = this.#heapSize
    const last = heap[size] ?? 0
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child += 1
      const below = heap[child] ?? 0
      if (below >= last) break
      heap[at] = below
      at = child
    }
    heap[at] = last
    return lowest
  }
}
