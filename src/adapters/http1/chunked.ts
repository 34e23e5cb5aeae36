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
const atExtension = 1
const atSizeLf = 2
const atData = 3
const atDataCr = 4
const atDataLf = 5
const atTrailerStart = 6
const atTrailerName = 7
const atTrailerValue = 8
const atTrailerLf = 9
const atFinalLf = 10
const atEnd = 11

const cr = 0x0d
const lf = 0x0a
const semicolon = 0x3b
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
    case atExtension:
      return stepExtension(state, byte)
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
      return stepTrailer(state, byte)
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
  state.step = atExtension
  return byte === semicolon
}

function stepExtension(state: State, byte: number): boolean {
  if (byte === cr) {
    state.step = atSizeLf
    return true
  }
  state.extension += 1
  state.extensions += 1
  if (state.extension > maxExtensionBytes || state.extensions > maxExtensionBytesPerBody) return false
  return fieldValueByte[byte] === 1
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
