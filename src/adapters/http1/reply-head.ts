/**
 * Serialises reply heads. Framing and connection fields belong to the listener and are dropped when a handler gives
 * them, except `content-length`, which is noted. A name that is no token or a value with CR, LF, NUL or a character
 * outside latin1 is dropped and counted: a header cannot split a reply. Bounds: 1,024 remembered names, each with its
 * last value where that is short.
 */
import { STATUS_CODES } from 'node:http'
import { tokenLower } from './byte-classes.ts'
import { parseLength } from './head-fields.ts'

/** Receives what the handler's fields come to. */
export interface HeadDraft {
  /** Field lines, each with its CRLF. */
  fields: string
  /** Value of a well-formed content-length; -1: none. */
  declaredLength: number
  /** Fields that were refused. */
  dropped: number
}

const usable = 0
const ours = 1
const length = 2
const invalid = 3
const maxRemembered = 1024
const maxRememberedValue = 256

/** What is known of a field's name. Many answers say the same: the last line is kept as it was written. */
interface KnownName {
  readonly verdict: number
  lastValue: string | null
  lastLine: string
}
const knownNames = new Map<string, KnownName>()
const unsafeValue = /[^\t\x20-\x7e\x80-\xff]/

const ownNames: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'date',
])

/** @param headers flat name, value list as the handler gave it */
export function draftFields(headers: readonly string[], draft: HeadDraft): void {
  let fields = ''
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? ''
    const value = headers[index + 1] ?? ''
    const known = knownNames.get(name) ?? judgeName(name)
    const { verdict } = known
    if (verdict === usable) {
      if (known.lastValue === value) fields += known.lastLine
      else if (unsafeValue.test(value)) draft.dropped += 1
      else fields += writeLine(known, name, value)
    } else if (verdict === length) {
      const declared = parseLength(value)
      if (declared === undefined || draft.declaredLength !== -1) draft.dropped += 1
      else draft.declaredLength = declared
    } else if (verdict === invalid) {
      draft.dropped += 1
    }
  }
  draft.fields = fields
}

function writeLine(known: KnownName, name: string, value: string): string {
  const line = `${name}: ${value}\r\n`
  if (value.length <= maxRememberedValue) {
    known.lastValue = value
    known.lastLine = line
  }
  return line
}

function judgeName(name: string): KnownName {
  let verdict = name.length === 0 ? invalid : usable
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index)
    if (code > 0xff || tokenLower[code] === 0) verdict = invalid
  }
  const lower = name.toLowerCase()
  if (verdict === usable && ownNames.has(lower)) verdict = ours
  if (verdict === usable && lower === 'content-length') verdict = length
  const known = { verdict, lastValue: null, lastLine: '' }
  if (knownNames.size < maxRemembered) knownNames.set(name, known)
  return known
}

/** True when the listener alone decides about this field, in lower case (RFC 9110 §7.6.1, RFC 9113 §8.2.2). */
export function isListenerField(name: string): boolean {
  return ownNames.has(name)
}

/** True when the value may stand in a field line. */
export function isSafeValue(value: string): boolean {
  return !unsafeValue.test(value)
}

const statusLines: (string | undefined)[] = []

/** `HTTP/1.1 200 OK` with CRLF, remembered per status. @param status 200 to 599; anything else becomes 500 */
export function statusLine(status: number): string {
  return statusLines[status] ?? buildStatusLine(status)
}

function buildStatusLine(status: number): string {
  if (!Number.isInteger(status) || status < 200 || status > 599) return statusLine(500)
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  statusLines[status] = line
  return line
}

let dateLine = ''
let dateSecond = -1

/** The Date field with CRLF, formatted once a second. */
export function currentDateLine(): string {
  const now = Date.now()
  const second = Math.floor(now / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateLine = `date: ${new Date(now).toUTCString()}\r\n`
  }
  return dateLine
}
