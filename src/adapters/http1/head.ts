/**
 * One strict parser for HTTP/1.x request and response heads (RFC 9112, RFC 9110). Everything two parsers could
 * read differently is refused: that is what request smuggling lives on.
 *
 * Assumes the head is contiguous (see head-reader.ts) and complete up to its CRLF CRLF. The bytes are scanned once,
 * decoded once as latin1 and sliced. Bounds: `HeadBounds`; the reader enforces the byte count, this file the rest.
 */
import { hostByte, targetByte, tokenLower } from './byte-classes.ts'
import {
  type HeadFields,
  type HeadProblem,
  type HeadText,
  listsToken,
  parseLength,
  scanFields,
} from './head-fields.ts'

export type { HeadProblem } from './head-fields.ts'

export interface HeadBounds {
  readonly headerBytes: number
  readonly headerCount: number
}

export interface RequestHead {
  readonly method: string
  /** Origin-form, or `*` with OPTIONS. */
  readonly target: string
  readonly minorVersion: 0 | 1
  /** Flat name, value list: lower-case names, wire order, duplicates kept. Values are latin1. */
  readonly headers: string[]
  /** 0 when no body is announced; undefined when chunked. */
  readonly contentLength: number | undefined
  readonly chunked: boolean
  readonly keepAlive: boolean
  readonly expectContinue: boolean
}

export interface ResponseHead {
  readonly status: number
  readonly minorVersion: 0 | 1
  readonly headers: string[]
  /** Undefined and not chunked: the body lasts until close, where the status allows a body at all. */
  readonly contentLength: number | undefined
  readonly chunked: boolean
  readonly keepAlive: boolean
}

const space = 0x20
const slash = 0x2f
const cr = 0x0d
const lf = 0x0a
const maxMethodLength = 24

/**
 * Parse the request head that fills `bytes` from `start` to `end` (one past its CRLF CRLF).
 * @returns the head, or why it is refused
 */
export function parseRequestHead(
  bytes: Buffer,
  range: { readonly start: number; readonly end: number },
  maxCount: number,
): RequestHead | HeadProblem {
  const { start, end } = range
  let position = start
  while (tokenLower[bytes[position] ?? 0] !== 0) position += 1
  if (position === start || bytes[position] !== space) return 'malformed'
  if (position - start > maxMethodLength) return 'not-implemented'
  const text = bytes.toString('latin1', start, end)
  const method = text.slice(0, position - start)
  const targetAt = position + 1
  position = targetAt
  while (targetByte[bytes[position] ?? 0] === 1) position += 1
  if (position === targetAt || bytes[position] !== space) return 'malformed'
  const targetEnd = position
  const minorVersion = versionAt(bytes, position + 1)
  if (typeof minorVersion === 'string') return minorVersion
  position += 9
  if (bytes[position] !== cr || bytes[position + 1] !== lf) return 'malformed'
  // RFC 9112 §3.2: origin-form only. Absolute-form is for proxies that clients chose; CONNECT and TRACE likewise.
  if (method === 'CONNECT' || method === 'TRACE') return 'not-implemented'
  if (bytes[targetAt] !== slash && !(method === 'OPTIONS' && isAsterisk(bytes, targetAt, targetEnd))) {
    return 'malformed'
  }
  const head: HeadText = { bytes, text, start, end }
  const fields = scanFields(head, position + 2, maxCount)
  if (typeof fields === 'string') return fields
  return concludeRequest(
    { method, target: text.slice(targetAt - start, targetEnd - start), minorVersion },
    fields,
  )
}

function concludeRequest(
  line: { readonly method: string; readonly target: string; readonly minorVersion: 0 | 1 },
  fields: HeadFields,
): RequestHead | HeadProblem {
  const { minorVersion } = line
  // RFC 9112 §3.2: 400 for a missing, repeated or invalid Host.
  if (fields.hostCount > 1 || (fields.hostCount === 0 && minorVersion === 1)) return 'malformed'
  if (fields.hostCount === 1 && !isHost(fields.host)) return 'malformed'
  let contentLength: number | undefined = 0
  const chunked = fields.codingCount !== 0
  if (chunked) {
    // RFC 9112 §6.1 and §6.3: never with Content-Length, never in HTTP/1.0, nothing but `chunked`.
    if (fields.lengthCount !== 0 || fields.codingCount > 1 || minorVersion === 0) return 'malformed'
    if (fields.coding !== 'chunked') return 'not-implemented'
    contentLength = undefined
  } else if (fields.lengthCount !== 0) {
    if (fields.lengthCount > 1) return 'malformed'
    contentLength = parseLength(fields.length)
    if (contentLength === undefined) return 'malformed'
  }
  // RFC 9110 §10.1.1: an expectation other than 100-continue may be answered 417; ignoring it is allowed too.
  const expectContinue =
    minorVersion === 1 && fields.expect !== '' && fields.expect.toLowerCase() === '100-continue'
  return {
    method: line.method,
    target: line.target,
    minorVersion,
    headers: fields.list,
    contentLength,
    chunked,
    keepAlive: staysOpen(minorVersion, fields.connection),
    expectContinue,
  }
}

/** Parse the response head that fills `bytes` from `start` to `end`. The reason phrase is checked and dropped. */
export function parseResponseHead(
  bytes: Buffer,
  range: { readonly start: number; readonly end: number },
  maxCount: number,
): ResponseHead | HeadProblem {
  const { start, end } = range
  const minorVersion = versionAt(bytes, start)
  if (typeof minorVersion === 'string') return minorVersion
  if (bytes[start + 8] !== space) return 'malformed'
  const status = statusAt(bytes, start + 9)
  if (status === 0) return 'malformed'
  let position = start + 12
  // RFC 9112 §4: the space is demanded even without a reason phrase; servers in the field leave it out.
  if (bytes[position] !== space && bytes[position] !== cr) return 'malformed'
  while (isReasonByte(bytes[position] ?? 0)) position += 1
  if (bytes[position] !== cr || bytes[position + 1] !== lf) return 'malformed'
  const text = bytes.toString('latin1', start, end)
  const fields = scanFields({ bytes, text, start, end }, position + 2, maxCount)
  if (typeof fields === 'string') return fields
  let contentLength: number | undefined
  const chunked = fields.codingCount !== 0
  if (chunked) {
    if (fields.lengthCount !== 0 || fields.codingCount > 1 || minorVersion === 0) return 'malformed'
    if (fields.coding !== 'chunked' && fields.coding.toLowerCase() !== 'chunked') return 'not-implemented'
  } else if (fields.lengthCount !== 0) {
    if (fields.lengthCount > 1) return 'malformed'
    contentLength = parseLength(fields.length)
    if (contentLength === undefined) return 'malformed'
  }
  return {
    status,
    minorVersion,
    headers: fields.list,
    contentLength,
    chunked,
    keepAlive: staysOpen(minorVersion, fields.connection),
  }
}

/** `HTTP/1.0` or `HTTP/1.1` at `at`. */
function versionAt(bytes: Buffer, at: number): 0 | 1 | HeadProblem {
  // "HTTP/" and "d.d"
  if (
    bytes[at] !== 0x48 ||
    bytes[at + 1] !== 0x54 ||
    bytes[at + 2] !== 0x54 ||
    bytes[at + 3] !== 0x50 ||
    bytes[at + 4] !== slash ||
    bytes[at + 6] !== 0x2e
  ) {
    return 'malformed'
  }
  const major = (bytes[at + 5] ?? 0) - 0x30
  const minor = (bytes[at + 7] ?? 0) - 0x30
  if (major < 0 || major > 9 || minor < 0 || minor > 9) return 'malformed'
  if (major !== 1 || minor > 1) return 'unsupported-version'
  return minor === 1 ? 1 : 0
}

/** Three digits from 100 to 999; else 0. */
function statusAt(bytes: Buffer, at: number): number {
  const hundreds = (bytes[at] ?? 0) - 0x30
  const tens = (bytes[at + 1] ?? 0) - 0x30
  const ones = (bytes[at + 2] ?? 0) - 0x30
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return 0
  return hundreds * 100 + tens * 10 + ones
}

function isReasonByte(byte: number): boolean {
  return byte === 0x09 || (byte >= 0x20 && byte !== 0x7f)
}

function isAsterisk(bytes: Buffer, from: number, to: number): boolean {
  return to - from === 1 && bytes[from] === 0x2a
}

function isHost(host: string): boolean {
  if (host.length === 0 || host.length > 255) return false
  for (let index = 0; index < host.length; index += 1) {
    if (hostByte[host.charCodeAt(index)] !== 1) return false
  }
  return true
}

/** RFC 9112 §9.3. */
function staysOpen(minorVersion: 0 | 1, connection: string): boolean {
  if (connection === '') return minorVersion === 1
  if (listsToken(connection, 'close')) return false
  return minorVersion === 1 || listsToken(connection, 'keep-alive')
}
