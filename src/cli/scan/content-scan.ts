/**
 * Scans one content that comes in chunks: a file, or an object of a git repository. Holds a chunk and what a token cut
 * at its end needs. Binary content (a NUL among its first bytes, as git has it) is left out; UTF-16 with a byte order
 * mark is read as the text that it is.
 *
 * Counting lines costs five times what the search does, so it is left to a second pass over what holds something.
 */
import { type FoundToken, findTokens, longestToken } from '../../identity/index.ts'

export interface Sighting extends FoundToken {
  /** From 1; 0 where lines are not counted. */
  readonly line: number
  /** In characters, from 1; 0 as well. */
  readonly column: number
}

export interface ContentTerms {
  readonly scansBinary: boolean
  readonly countsLines: boolean
}

const newline = 0x0a
/** Bytes that tell binary content. */
const binaryPrefix = 8000

type Encoding = 'bytes' | 'utf16le' | 'utf16be'

export class ContentScan {
  readonly #found: (sighting: Sighting) => void
  readonly #terms: ContentTerms
  #encoding: Encoding | null = null
  /** End of what was scanned: a token may begin in it. */
  #tail: Buffer = Buffer.alloc(0)
  /** First byte of a UTF-16 unit whose second one comes with the next chunk. */
  #half: Buffer = Buffer.alloc(0)
  /** Of what lies before the tail. */
  #lines = 0
  /** Characters since the last line end before the tail. */
  #column = 0

  constructor(found: (sighting: Sighting) => void, terms: ContentTerms) {
    this.#found = found
    this.#terms = terms
  }

  /** False: it is binary, and nothing more needs to come. */
  push(chunk: Buffer): boolean {
    if (this.#encoding === null) {
      this.#encoding = encodingOf(chunk)
      const isText = this.#encoding !== 'bytes' || !chunk.subarray(0, binaryPrefix).includes(0)
      if (!isText && !this.#terms.scansBinary) return false
    }
    const fresh = this.#encoding === 'bytes' ? chunk : this.#narrow(chunk, this.#encoding)
    const bytes = this.#tail.length === 0 ? fresh : Buffer.concat([this.#tail, fresh])
    for (const token of findTokens(bytes)) {
      // What lies in the tail as a whole was told when it came.
      if (token.at + token.text.length > this.#tail.length)
        this.#found({ ...token, ...this.#placeOf(bytes, token.at) })
    }
    const kept = Math.max(0, bytes.length - (longestToken - 1))
    this.#skip(bytes.subarray(0, kept))
    // A copy, for the reader uses its buffer again.
    this.#tail = Buffer.from(bytes.subarray(kept))
    return true
  }

  /** One byte a character; what is beyond Latin-1 is no part of a token. */
  #narrow(chunk: Buffer, encoding: 'utf16le' | 'utf16be'): Buffer {
    const bytes = Buffer.concat([this.#half, chunk])
    const narrowed = Buffer.alloc(bytes.length >> 1)
    const low = encoding === 'utf16le' ? 0 : 1
    for (let at = 0; at < narrowed.length; at += 1) {
      const high = bytes[2 * at + 1 - low] ?? 0
      narrowed[at] = high === 0 ? (bytes[2 * at + low] ?? 0) : 0
    }
    this.#half = Buffer.from(bytes.subarray(narrowed.length * 2))
    return narrowed
  }

  #placeOf(bytes: Buffer, at: number): { readonly line: number; readonly column: number } {
    const before = bytes.subarray(0, at)
    if (!this.#terms.countsLines) return { line: 0, column: 0 }
    const lastEnd = before.lastIndexOf(newline)
    const column = lastEnd === -1 ? this.#column + at : at - lastEnd - 1
    return { line: this.#lines + countLines(before) + 1, column: column + 1 }
  }

  #skip(bytes: Buffer): void {
    if (!this.#terms.countsLines) return
    const lastEnd = bytes.lastIndexOf(newline)
    this.#column = lastEnd === -1 ? this.#column + bytes.length : bytes.length - lastEnd - 1
    this.#lines += countLines(bytes)
  }
}

function encodingOf(chunk: Buffer): Encoding {
  if (chunk[0] === 0xff && chunk[1] === 0xfe) return 'utf16le'
  return chunk[0] === 0xfe && chunk[1] === 0xff ? 'utf16be' : 'bytes'
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count += 1
  return count
}
