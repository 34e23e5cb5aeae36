/**
 * Decoder of the chunked coding (RFC 9112 §7.1), used for requests and for responses. Strict: hexadecimal size
 * without sign, prefix or blanks, exact CRLF, no bare CR or LF anywhere. Data is handed on as slices, not copied.
 *
 *   size ─;─▶ extension ─▶ CRLF ─▶ data ─▶ CRLF ─┐        size 0 ─▶ trailer lines ─▶ CRLF ─▶ finished
 *    ▲───────────────────────────────────────────┘
 *
 * Bounds: 8 digits a size, 256 bytes of extension a chunk and 4,096 a body, 8,192 bytes of trailers. Extensions and
 * trailers are dropped: nothing downstream may see what was not in the head.
 */
import { fieldValueByte, hexValue, tokenLower } from './byte-classes.ts'

export interface ChunkedDecoder {
  /**
   * Decode as much of `bytes` as belongs to the body. Calls `data` for each slice, in order.
   * @returns bytes consumed (fewer than given only when `finished`), or -1 when the coding is broken
   */
  push(bytes: Buffer): number
  readonly finished: boolean
}

const maxSizeDigits = 8
const maxExtensionBytes = 256
const maxExtensionBytesPerBody = 4096
const maxTrailerBytes = 8192

const atSize = 0
const atSizeLf = 1
const atData = 2
const atDataCr = 3
const atDataLf = 4
const atTrailerStart = 5
const atTrailerName = 6
const atTrailerValue = 7
const atTrailerLf = 8
const atFinalLf = 9
const atEnd = 10
// An extension: ;name, ;name=value, ;name="quoted". Steps from here on are within one.
const atExtensionStart = 11
const atExtensionName = 12
const atValueStart = 13
const atValue = 14
const atQuoted = 15
const atEscaped = 16
const atQuotedEnd = 17
const broken = -1

const cr = 0x0d
const lf = 0x0a
const semicolon = 0x3b
const equals = 0x3d
const quote = 0x22
const backslash = 0x5c
const colon = 0x3a

interface State {
  step: number
  size: number
  digits: number
  extension: number
  extensions: number
  trailer: number
}

/** @param data receives each slice; the bytes are valid as long as those given to `push` */
export function createChunkedDecoder(data: (slice: Buffer) => void): ChunkedDecoder {
  const state: State = { step: atSize, size: 0, digits: 0, extension: 0, extensions: 0, trailer: 0 }

  return {
    get finished() {
      return state.step === atEnd
    },
    push(bytes) {
      let at = 0
      while (at < bytes.length && state.step !== atEnd) {
        if (state.step === atData) {
          const taken = Math.min(state.size, bytes.length - at)
          state.size -= taken
          if (state.size === 0) state.step = atDataCr
          const whole = at === 0 && taken === bytes.length
          data(whole ? bytes : bytes.subarray(at, at + taken))
          at += taken
        } else {
          if (!step(state, bytes[at] ?? 0)) return -1
          at += 1
        }
      }
      return at
    },
  }
}

/** One byte outside of chunk data. False: broken. */
function step(state: State, byte: number): boolean {
  switch (state.step) {
    case atSize:
      return stepSize(state, byte)
    case atSizeLf:
      if (byte !== lf) return false
      state.step = state.size === 0 ? atTrailerStart : atData
      state.digits = 0
      state.extension = 0
      return true
    case atDataCr:
      state.step = atDataLf
      return byte === cr
    case atDataLf:
      state.step = atSize
      return byte === lf
    case atFinalLf:
      state.step = atEnd
      return byte === lf
    default:
      return state.step >= atExtensionStart ? stepExtension(state, byte) : stepTrailer(state, byte)
  }
}

function stepSize(state: State, byte: number): boolean {
  const value = hexValue[byte] ?? 255
  if (value !== 255) {
    state.digits += 1
    if (state.digits > maxSizeDigits) return false
    state.size = state.size * 16 + value
    return true
  }
  if (state.digits === 0) return false
  if (byte === cr) {
    state.step = atSizeLf
    return true
  }
  state.step = atExtensionStart
  return byte === semicolon
}

function stepExtension(state: State, byte: number): boolean {
  state.extension += 1
  state.extensions += 1
  if (state.extension > maxExtensionBytes || state.extensions > maxExtensionBytesPerBody) return false
  state.step = nextInExtension(state.step, byte)
  return state.step !== broken
}

/** RFC 9112 §7.1.1, without the blanks that it lets old senders add. Nothing of it is used; it must only be sound. */
function nextInExtension(step: number, byte: number): number {
  switch (step) {
    case atExtensionStart:
      return isToken(byte) ? atExtensionName : broken
    case atExtensionName:
      if (byte === equals) return atValueStart
      return isToken(byte) ? atExtensionName : afterExtension(byte)
    case atValueStart:
      if (byte === quote) return atQuoted
      return isToken(byte) ? atValue : broken
    case atValue:
      return isToken(byte) ? atValue : afterExtension(byte)
    case atQuoted:
      if (byte === quote) return atQuotedEnd
      if (byte === backslash) return atEscaped
      return fieldValueByte[byte] === 1 ? atQuoted : broken
    case atEscaped:
      return fieldValueByte[byte] === 1 ? atQuoted : broken
    default:
      return afterExtension(byte)
  }
}

function afterExtension(byte: number): number {
  if (byte === cr) return atSizeLf
  return byte === semicolon ? atExtensionStart : broken
}

function isToken(byte: number): boolean {
  return tokenLower[byte] !== 0
}

function stepTrailer(state: State, byte: number): boolean {
  state.trailer += 1
  if (state.trailer > maxTrailerBytes) return false
  switch (state.step) {
    case atTrailerStart:
      state.step = byte === cr ? atFinalLf : atTrailerName
      return byte === cr || tokenLower[byte] !== 0
    case atTrailerName:
      if (byte === colon) state.step = atTrailerValue
      return byte === colon || tokenLower[byte] !== 0
    case atTrailerValue:
      if (byte === cr) state.step = atTrailerLf
      return byte === cr || fieldValueByte[byte] === 1
    default:
      state.step = atTrailerStart
      return byte === lf
  }
}
