/**
 * Where texts stand in a JSON body, in every dialect at once: each string, its bytes, and what it is by the members
 * above it. What no row here names is inspected as well, as `other`: nothing escapes by standing in an unknown field.
 * One pass over well-formed JSON; nothing is parsed or copied. Gives way every `stepBytes`.
 *
 *   { "messages": [ { "role": "tool", "content": "…" } ] }      by the role, which may stand behind the text
 *   { "tool_calls": [ { "function": { "arguments": "…" } } ] }  by the member above it
 *   { "type": "function_call_output", "output": "…" }           by the type
 */
import type { GuardPlace } from '../domain/guards.ts'

export interface BodyText {
  /** Of the quote that opens it. */
  readonly start: number
  /** One past the quote that closes it. */
  readonly end: number
  readonly place: GuardPlace
}

const byMember: ReadonlyMap<string, GuardPlace> = new Map<string, GuardPlace>([
  ['system', 'system-prompt'],
  ['instructions', 'system-prompt'],
  ['systemInstruction', 'system-prompt'],
  ['system_instruction', 'system-prompt'],
  ['tool_calls', 'tool-call'],
  ['function_call', 'tool-call'],
  ['functionCall', 'tool-call'],
  ['toolUse', 'tool-call'],
  ['functionResponse', 'tool-result'],
  ['toolResult', 'tool-result'],
  ['document', 'document'],
  ['retrieved_documents', 'document'],
])

const byWord: ReadonlyMap<string, GuardPlace> = new Map<string, GuardPlace>([
  // Roles
  ['system', 'system-prompt'],
  ['developer', 'system-prompt'],
  ['tool', 'tool-result'],
  ['function', 'tool-result'],
  // Types
  ['tool_use', 'tool-call'],
  ['server_tool_use', 'tool-call'],
  ['mcp_tool_use', 'tool-call'],
  ['mcp_call', 'tool-call'],
  ['function_call', 'tool-call'],
  ['custom_tool_call', 'tool-call'],
  ['tool_result', 'tool-result'],
  ['mcp_tool_result', 'tool-result'],
  ['web_search_tool_result', 'tool-result'],
  ['function_call_output', 'tool-result'],
  ['custom_tool_call_output', 'tool-result'],
  ['local_shell_call_output', 'tool-result'],
  ['document', 'document'],
  ['search_result', 'document'],
  ['input_file', 'document'],
  ['file', 'document'],
])

/** Members whose long values are media or proofs: no text, and not to be touched. */
const opaque: ReadonlySet<string> = new Set([
  'b64_json',
  'bytes',
  'data',
  'embedding',
  'encrypted_content',
  'file_data',
  'redactedContent',
  'signature',
  'thoughtSignature',
  'thought_signature',
])
const longestPlain = 256
/** A quotation of fewer characters holds nothing that is looked for. */
const shortestText = 8
const stepBytes = 131_072

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const colon = 0x3a
const comma = 0x2c

interface Frame {
  readonly isObject: boolean
  /** By a member above; null: not said. */
  readonly place: GuardPlace | null
  /** By its own role or type. */
  own: GuardPlace | null
  /** The member whose value comes; empty: a key comes. */
  key: string
  /** The first of its texts in the list. */
  readonly first: number
}

interface OpenText {
  readonly start: number
  readonly end: number
  place: GuardPlace | null
}

/** All texts of a body. `other`: what no member, role or type tells. */
export function* bodyTexts(body: Buffer, other: GuardPlace): Generator<void, readonly BodyText[]> {
  const texts: OpenText[] = []
  const frames: Frame[] = []
  let frame: Frame = { isObject: false, place: null, own: null, key: '', first: 0 }
  let stepEnd = stepBytes
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at]
    if (byte === quote) {
      const end = endOfString(body, at)
      const isKey = frame.isObject && frame.key === ''
      if (isKey) frame.key = body.toString('latin1', at + 1, Math.min(end - 1, at + 65)) || ' '
      else noteWord(frame, body, { start: at, end })
      if (isText(body, { start: at, end }, isKey ? '' : frame.key))
        texts.push({ start: at, end, place: frame.place ?? (isKey ? null : placeOfMember(frame)) })
      at = end - 1
    } else if (byte === openBrace || byte === openBracket) {
      frames.push(frame)
      const place = frame.place ?? placeOfMember(frame)
      frame = { isObject: byte === openBrace, place, own: null, key: '', first: texts.length }
    } else if (byte === closeBrace || byte === closeBracket) {
      settle(frame, texts)
      frame = frames.pop() ?? frame
    } else if (byte === comma && frame.isObject) frame.key = ''
    if (at >= stepEnd) {
      stepEnd = at + stepBytes
      yield
    }
  }
  return texts.map(({ start, end, place }) => ({ start, end, place: place ?? other }))
}

function placeOfMember({ isObject, key }: Frame): GuardPlace | null {
  return isObject ? (byMember.get(key) ?? null) : null
}

const longestWord = 32

/** Role and type of the object say what its texts are. */
function noteWord(
  frame: Frame,
  body: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
): void {
  if (frame.key !== 'role' && frame.key !== 'type') return
  if (end - start > longestWord) return
  const place = byWord.get(body.toString('latin1', start + 1, end - 1))
  // A type is narrower than a role.
  if (place !== undefined && (frame.own === null || frame.key === 'type')) frame.own = place
}

function settle({ own, place, first }: Frame, texts: OpenText[]): void {
  if (own === null || place !== null) return
  for (let at = first; at < texts.length; at += 1) {
    const text = texts[at]
    if (text !== undefined) text.place ??= own
  }
}

/** A document may stand as plain text where others have base64. */
const encoded = /^[A-Za-z0-9+/=_-]*$/
const media = /^data:(?:image|audio|video|font|application\/(?:pdf|octet-stream|zip))/

function isText(
  body: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
  key: string,
): boolean {
  const length = end - start - 2
  if (length < shortestText) return false
  if (length <= longestPlain) return true
  const beginning = body.toString('latin1', start + 1, start + longestPlain)
  return !media.test(beginning) && !(opaque.has(key) && encoded.test(beginning))
}

const nearBytes = 64

/** One past the quote that closes the string opened at `start`. */
function endOfString(body: Buffer, start: number): number {
  let at = start + 1
  for (;;) {
    const near = Math.min(body.length, at + nearBytes)
    for (; at < near; at += 1) {
      const byte = body[at]
      if (byte === backslash) at += 1
      else if (byte === quote) return at + 1
    }
    if (at >= body.length) return body.length
    const next = body.indexOf(quote, at)
    if (next < 0) return body.length
    const slash = body.subarray(at, next).indexOf(backslash)
    // Up to the first escape, or to the quote itself, there is nothing to heed.
    at = slash < 0 ? next : at + slash
  }
}

/** Path of the text that begins at `start`, for operators: members that no API has are `*`. */
export function pathOf(body: Buffer, start: number): string {
  const path: string[] = []
  const counts: number[] = []
  let key = ''
  let isKey = false
  for (let at = 0; at < start; at += 1) {
    const byte = body[at]
    if (byte === quote) {
      const end = endOfString(body, at)
      if (isKey) key = shownKey(body.toString('latin1', at + 1, Math.min(end - 1, at + 65)))
      at = end - 1
    } else if (byte === openBrace || byte === openBracket) {
      path.push(key)
      counts.push(byte === openBrace ? -1 : 0)
      isKey = byte === openBrace
      key = ''
    } else if (byte === closeBrace || byte === closeBracket) {
      key = path.pop() ?? ''
      counts.pop()
    } else if (byte === colon) isKey = false
    else if (byte === comma) {
      const last = counts.length - 1
      const count = counts[last] ?? -1
      isKey = count < 0
      if (count >= 0) counts[last] = count + 1
    }
  }
  return joinPath([...path.slice(1), key], counts)
}

function joinPath(keys: readonly string[], counts: readonly number[]): string {
  let text = ''
  for (const [level, key] of keys.entries()) {
    const count = counts[level] ?? -1
    if (count >= 0) text += `[${count}]`
    else text += text === '' ? key : `.${key}`
  }
  return text
}

const plainKey = /^[a-z][A-Za-z_]{0,30}$/
/** Words that callers choose may say more than the log should know: only those of APIs are told. */
const apiWords: ReadonlySet<string> = new Set(
  (
    'messages content text input output instructions system systemInstruction system_instruction contents parts ' +
    'tool_calls function arguments functionCall functionResponse args response toolUse toolResult tools parameters ' +
    'description prompt suffix refusal reasoning reasoning_content thinking choices message delta candidates ' +
    'summary metadata user name title source data url query documents document candidates stop inputs'
  ).split(' '),
)

function shownKey(key: string): string {
  return plainKey.test(key) && apiWords.has(key) ? key : '*'
}
