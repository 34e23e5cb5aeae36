/**
 * Collects the bytes of one head. The usual case, a head in one piece, costs no copy; pieces gather in a buffer
 * that doubles, and only new bytes are searched, so a head sent byte by byte costs linear work.
 * Bound: `maxBytes`, CRLF CRLF included.
 */
import { tokenLower } from './byte-classes.ts'

export const headIncomplete = -1
export const headMalformed = -2
export const headTooLarge = -3

export interface HeadReader {
  /** Holds the head (and what came after it) when `push` returned an end. */
  readonly bytes: Buffer
  /** How much of `bytes` is filled. */
  readonly length: number
  /**
   * @returns the offset one past the head's CRLF CRLF in `bytes`; or `headIncomplete`, `headMalformed` (certain
   * already), `headTooLarge`. `chunk` is kept without copy only until `reset` when the head is complete in it.
   */
  push(chunk: Buffer, maxBytes: number): number
  /** Forget everything: ready for the next head. */
  reset(): void
}

const terminator = Buffer.from('\r\n\r\n')
const empty = Buffer.alloc(0)
const firstCapacity = 1024
const lf = 0x0a
const cr = 0x0d

export function createHeadReader(): HeadReader {
  let bytes: Buffer = empty
  let length = 0
  let gathering = false

  function gather(chunk: Buffer, maxBytes: number): void {
    const needed = length + chunk.length
    if (!gathering || needed > bytes.length) {
      const capacity = Math.max(firstCapacity, needed, Math.min(2 * bytes.length, maxBytes))
      const grown = Buffer.allocUnsafe(capacity)
      bytes.copy(grown, 0, 0, length)
      bytes = grown
      gathering = true
    }
    chunk.copy(bytes, length)
    length = needed
  }

  function search(from: number, maxBytes: number): number {
    const view = length === bytes.length ? bytes : bytes.subarray(0, length)
    const at = view.indexOf(terminator, Math.max(0, from - 3))
    if (at >= 0) return at + 4 > maxBytes ? headTooLarge : at + 4
    if (hasBareLf(bytes, from, length)) return headMalformed
    return length >= maxBytes ? headTooLarge : headIncomplete
  }

  return {
    get bytes() {
      return bytes
    },
    get length() {
      return length
    },
    push(chunk, maxBytes) {
      const from = length
      if (from === 0) {
        if (chunk.length === 0) return headIncomplete
        // A start line begins with a token: TLS on a plain port, blank lines and junk are known at once.
        if (tokenLower[chunk[0] ?? 0] === 0) return headMalformed
        bytes = chunk
        length = chunk.length
        const end = search(0, maxBytes)
        if (end !== headIncomplete) return end
        length = 0
        bytes = empty
        gather(chunk, maxBytes)
        return headIncomplete
      }
      gather(chunk, maxBytes)
      return search(from, maxBytes)
    },
    reset() {
      bytes = empty
      length = 0
      gathering = false
    },
  }
}

/** RFC 9112 §2.2: a lone LF is no line end here. Told at once instead of at the header timeout. */
function hasBareLf(bytes: Buffer, from: number, to: number): boolean {
  let at = bytes.indexOf(lf, from)
  while (at >= 0 && at < to) {
    if (at === 0 || bytes[at - 1] !== cr) return true
    at = bytes.indexOf(lf, at + 1)
  }
  return false
}
