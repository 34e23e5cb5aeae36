/**
 * Serialises reply heads. Framing and connection fields belong to the listener and are dropped when a handler gives
 * them, except `content-length`, which is noted. A name that is no token or a value with CR, LF, NUL or a character
 * outside latin1 is dropped and counted: a header cannot split a reply. Bound: 1,024 remembered names.
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
const verdicts = new Map<string, number>()
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
    const verdict = verdicts.get(name) ?? judgeName(name)
    if (verdict === usable) {
      if (unsafeValue.test(value)) draft.dropped += 1
      else fields += `${name}: ${value}\r\n`
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

function judgeName(name: string): number {
  let verdict = name.length === 0 ? invalid : usable
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index)
    if (code > 0xff || tokenLower[code] === 0) verdict = invalid
  }
  const lower = name.toLowerCase()
  if (verdict === usable && ownNames.has(lower)) verdict = ours
  if (verdict === usable && lower === 'content-length') verdict = length
  if (verdicts.size < maxRemembered) verdicts.set(name, verdict)
  return verdict
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
