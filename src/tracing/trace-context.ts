/**
 * W3C Trace Context: `traceparent` and `tracestate`, read strictly (https://www.w3.org/TR/trace-context/). What is
 * malformed, or stands twice, is as if it were not there: it is never an error. Bounds: 32 members and 2048
 * characters of `tracestate`; a longer one is left out, its trace goes on.
 */

export interface TraceParent {
  /** 32 digits, lower-case hexadecimal, not all zero. */
  readonly traceId: string
  /** 16 digits, likewise. */
  readonly spanId: string
  readonly isSampled: boolean
}

export interface TraceContext extends TraceParent {
  /** As it is passed on; empty: none. */
  readonly state: string
}

const maxStateLength = 2048
const maxStateMembers = 32
const traceparentLength = 55

/** The context in flat request headers; null: there is none that counts. */
export function readTraceContext(headers: readonly string[]): TraceContext | null {
  let parent: string | null = null
  let state = ''
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]
    if (name === 'traceparent') {
      if (parent !== null) return null
      parent = headers[at + 1] ?? ''
    } else if (name === 'tracestate') {
      const value = headers[at + 1] ?? ''
      // RFC 9110 §5.3: fields of one name are one list.
      state = state === '' ? value : `${state},${value}`
    }
  }
  const read = parent === null ? null : parseTraceparent(parent)
  return read === null ? null : { ...read, state: parseTracestate(state) }
}

/** Null: malformed. */
export function parseTraceparent(text: string): TraceParent | null {
  if (text.length < traceparentLength || !isHex(text, 0, 2)) return null
  const version = text.slice(0, 2)
  if (version === 'ff') return null
  // A later version may say more, after a further dash.
  const mayGoOn = version !== '00' && text[traceparentLength] === '-'
  if (text.length > traceparentLength && !mayGoOn) return null
  if (text[2] !== '-' || text[35] !== '-' || text[52] !== '-') return null
  if (!isHex(text, 3, 35) || !isHex(text, 36, 52) || !isHex(text, 53, 55)) return null
  const traceId = text.slice(3, 35)
  const spanId = text.slice(36, 52)
  if (isZero(traceId) || isZero(spanId)) return null
  return { traceId, spanId, isSampled: (Number.parseInt(text.slice(53, 55), 16) & 1) === 1 }
}

export function writeTraceparent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}

/** The members that are there, without spaces around them; empty: none, or one of them is malformed. */
export function parseTracestate(text: string): string {
  if (text === '' || text.length > maxStateLength) return ''
  const members: string[] = []
  const keys = new Set<string>()
  for (const part of text.split(',')) {
    const member = trimmed(part)
    if (member === '') continue
    const mark = member.indexOf('=')
    const key = member.slice(0, Math.max(mark, 0))
    if (!isStateKey(key) || !isStateValue(member.slice(mark + 1)) || keys.has(key)) return ''
    keys.add(key)
    members.push(member)
  }
  return members.length > maxStateMembers ? '' : members.join(',')
}

function isHex(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at)
    if (!isDigit(code) && !(code >= 0x61 && code <= 0x66)) return false
  }
  return true
}

function isZero(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) !== 0x30) return false
  return true
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isLower = (code: number): boolean => code >= 0x61 && code <= 0x7a

/** Spaces and tabs. */
function trimmed(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

/** `key`, or `tenant@system` with at most 241 and 14 characters. */
function isStateKey(key: string): boolean {
  const at = key.indexOf('@')
  if (at < 0) return isKeyPart(key, 256) && isLower(key.charCodeAt(0))
  const system = key.slice(at + 1)
  return isKeyPart(key.slice(0, at), 241) && isKeyPart(system, 14) && isLower(system.charCodeAt(0))
}

function isKeyPart(part: string, most: number): boolean {
  if (part === '' || part.length > most) return false
  for (let at = 0; at < part.length; at += 1) {
    const code = part.charCodeAt(at)
    const isPlain = isLower(code) || isDigit(code)
    if (!isPlain && (at === 0 || !'_-*/'.includes(part.charAt(at)))) return false
  }
  return true
}

/** 1 to 256 printable characters without comma and equals sign; the last one is no space. */
function isStateValue(value: string): boolean {
  if (value === '' || value.length > 256 || value.endsWith(' ')) return false
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at)
    if (code < 0x20 || code > 0x7e || code === 0x2c || code === 0x3d) return false
  }
  return true
}
