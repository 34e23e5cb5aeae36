/**
 * The field section of a head: names checked and lowered, values checked and trimmed, framing fields noted.
 * Assumes the bytes up to `end` hold the first CRLF CRLF of the message, at their end. Rejects, after RFC 9112 §2.2
 * and §5: bare LF, bare CR, obs-fold, space before the colon, empty names, control characters. Bound: `maxCount`.
 */
import { fieldValueByte, tokenLower } from './byte-classes.ts'
import { candidateName, framingFields, framingOf, hashStep } from './head-names.ts'

export type HeadProblem =
  | 'malformed'
  | 'too-large'
  | 'too-many-headers'
  | 'unsupported-version'
  | 'not-implemented'

/** A head being read: `text` is the latin1 form of the bytes from `start` to `end`. */
export interface HeadText {
  readonly bytes: Uint8Array
  readonly text: string
  readonly start: number
  readonly end: number
}

/** What the field section says; flags count occurrences, values keep the last. */
export interface HeadFields {
  readonly list: string[]
  hostCount: number
  host: string
  lengthCount: number
  length: string
  codingCount: number
  coding: string
  /** Values of all Connection fields, joined by commas; empty: none. */
  connection: string
  expect: string
}

const lf = 0x0a
const cr = 0x0d
const space = 0x20
const tab = 0x09
const colon = 0x3a

/** @param at offset of the first field line in `head.bytes` */
export function scanFields(head: HeadText, at: number, maxCount: number): HeadFields | HeadProblem {
  const { bytes, text, start } = head
  const stop = head.end - 2
  const fields: HeadFields = {
    list: [],
    hostCount: 0,
    host: '',
    lengthCount: 0,
    length: '',
    codingCount: 0,
    coding: '',
    connection: '',
    expect: '',
  }
  const list = fields.list
  let position = at
  let count = 0
  while (position < stop) {
    if (count === maxCount) return 'too-many-headers'
    count += 1
    const nameAt = position
    let hash = 0
    let lower = tokenLower[bytes[position] ?? 0] ?? 0
    while (lower !== 0) {
      hash = hashStep(hash, lower)
      position += 1
      lower = tokenLower[bytes[position] ?? 0] ?? 0
    }
    // An empty name, a space before the colon and obs-fold all end here.
    if (position === nameAt || bytes[position] !== colon) return 'malformed'
    const candidate = candidateName(hash)
    const known =
      candidate !== null &&
      candidate.name.length === position - nameAt &&
      standsAt(bytes, nameAt, candidate.name)
        ? candidate
        : null
    const name = known === null ? text.slice(nameAt - start, position - start).toLowerCase() : known.name
    position += 1
    while (bytes[position] === space || bytes[position] === tab) position += 1
    const valueAt = position
    while (fieldValueByte[bytes[position] ?? 0] === 1) position += 1
    if (bytes[position] !== cr || bytes[position + 1] !== lf) return 'malformed'
    let valueEnd = position
    while (valueEnd > valueAt && (bytes[valueEnd - 1] === space || bytes[valueEnd - 1] === tab)) valueEnd -= 1
    const value = text.slice(valueAt - start, valueEnd - start)
    list.push(name, value)
    const framing = known === null ? framingOf(name) : known.framing
    if (framing !== 0) {
      // Blanks after a length or coding are legal, but parsers are known to disagree about them.
      if (valueEnd !== position && isBodyFraming(framing)) return 'malformed'
      noteFraming(fields, framing, value)
    }
    position += 2
  }
  return fields
}

/** Whether `name` (lower case) stands at `from`, in any case. */
function standsAt(bytes: Uint8Array, from: number, name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    if (tokenLower[bytes[from + index] ?? 0] !== name.charCodeAt(index)) return false
  }
  return true
}

function isBodyFraming(framing: number): boolean {
  return framing === framingFields['content-length'] || framing === framingFields['transfer-encoding']
}

/** Numbers as in `framingFields`. */
function noteFraming(fields: HeadFields, framing: number, value: string): void {
  if (framing === 1) {
    fields.hostCount += 1
    fields.host = value
  } else if (framing === 2) {
    fields.lengthCount += 1
    fields.length = value
  } else if (framing === 3) {
    fields.codingCount += 1
    fields.coding = value
  } else if (framing === 4) {
    fields.connection = fields.connection === '' ? value : `${fields.connection},${value}`
  } else {
    fields.expect = fields.expect === '' ? value : `${fields.expect},${value}`
  }
}

/**
 * Content-Length as a number, after RFC 9110 §8.6: digits only. At most 15 digits, so that it is exact.
 * Undefined: not a length.
 */
export function parseLength(value: string): number | undefined {
  if (value.length === 0 || value.length > 15) return undefined
  let length = 0
  for (let index = 0; index < value.length; index += 1) {
    const digit = value.charCodeAt(index) - 0x30
    if (digit < 0 || digit > 9) return undefined
    length = length * 10 + digit
  }
  return length
}

/** Whether a comma-separated list of tokens names `token` (lower case). */
export function listsToken(value: string, token: string): boolean {
  if (value === '') return false
  if (value === token) return true
  for (const item of value.toLowerCase().split(',')) {
    if (item.trim() === token) return true
  }
  return false
}
