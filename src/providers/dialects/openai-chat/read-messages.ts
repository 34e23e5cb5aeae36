/**
 * Messages of Chat Completions → canonical messages, and the assistant message of a response by the same code.
 *
 * Beyond OpenAI's own fields it takes what compatible vendors add: `reasoning_content` (DeepSeek, vLLM),
 * `reasoning` and `reasoning_details` (OpenRouter), `video_url` (vLLM). A second spelling is remembered by a marker
 * in the part's `native`, which every other dialect may drop without a word.
 */
import type { Message, Native, Part, ReasoningPart } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { mediaSource } from '../../data-url.ts'
import {
  expectObject,
  invalidField,
  isJsonArray,
  missingField,
  objectsIn,
  pathOf,
  readObject,
  readOptionalArray,
  readOptionalObject,
  readOptionalString,
  readString,
  stringOr,
  untaken,
} from '../../reading.ts'

const dialect = 'openai-chat'

/** What the messages before said: legacy `function` results name no call. */
interface Transcript {
  lastFunctionCallId: string
}

const roles: ReadonlyMap<string, Message['role']> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
])

export function readMessages(list: readonly JsonValue[], at: string): Message[] {
  const transcript: Transcript = { lastFunctionCallId: 'function_call' }
  const messages: Message[] = []
  for (let index = 0; index < list.length; index += 1) {
    const path = `${at}[${index}]`
    messages.push(readMessage(expectObject(list[index], path), path, transcript))
  }
  return messages
}

const contentKeys: ReadonlySet<string> = new Set(['role', 'content', 'name'])

function readMessage(wire: JsonObject, at: string, transcript: Transcript): Message {
  const wireRole = readString(wire, 'role', at)
  const role = roles.get(wireRole)
  if (role === undefined) throw invalidField(pathOf(at, 'role'), 'it must name a known role')
  if (wireRole === 'tool') return readToolMessage(wire, at)
  if (wireRole === 'function') return readFunctionMessage(wire, at, transcript)
  const name = readOptionalString(wire, 'name', at)
  if (role === 'assistant') {
    const { parts, native } = readAssistant(wire, at, transcript)
    return message({ role, parts, at, ...(name === undefined ? {} : { name }) }, native)
  }
  const parts = readContent(wire, at)
  let native = untaken(wire, contentKeys, { dialect, at })
  if (wireRole === 'developer') native = marked(native, { role: wireRole }, at)
  return message({ role, parts, at, ...(name === undefined ? {} : { name }) }, native)
}

function message(fields: Message, native: Native | undefined): Message {
  return native === undefined ? fields : { ...fields, native }
}

/** Adds a marker to what was left over. */
function marked(native: Native | undefined, marker: JsonObject, at: string): Native {
  return { dialect, fields: { ...native?.fields, ...marker }, at }
}

const toolKeys: ReadonlySet<string> = new Set(['role', 'content', 'name', 'tool_call_id'])

function readToolMessage(wire: JsonObject, at: string): Message {
  const callId = readString(wire, 'tool_call_id', at)
  const name = readOptionalString(wire, 'name', at)
  const result: Part = {
    type: 'tool-result',
    callId,
    content: readContent(wire, at),
    ...(name === undefined ? {} : { name }),
  }
  return message({ role: 'tool', parts: [result], at }, untaken(wire, toolKeys, { dialect, at }))
}

function readFunctionMessage(wire: JsonObject, at: string, transcript: Transcript): Message {
  const result: Part = {
    type: 'tool-result',
    callId: transcript.lastFunctionCallId,
    name: readString(wire, 'name', at),
    content: readContent(wire, at),
  }
  const native = marked(untaken(wire, contentKeys, { dialect, at }), { role: 'function' }, at)
  return { role: 'tool', parts: [result], at, native }
}

const assistantKeys: ReadonlySet<string> = new Set([
  'role',
  'content',
  'name',
  'refusal',
  'tool_calls',
  'function_call',
  'reasoning_content',
  'reasoning',
])
const assistantKeysBesideDetails: ReadonlySet<string> = new Set([
  'role',
  'content',
  'name',
  'refusal',
  'tool_calls',
  'function_call',
])

/** Parts in the order reasoning, content, refusal, calls; what is left over stays in `native`. */
export function readAssistant(
  wire: JsonObject,
  at: string,
  transcript?: Transcript,
): { readonly parts: readonly Part[]; readonly native: Native | undefined } {
  const details = objectsIn(wire['reasoning_details'])
  const parts: Part[] = details.length > 0 ? readReasoningDetails(wire, details) : readReasoning(wire, at)
  for (const part of readContent(wire, at)) parts.push(part)
  const refusal = readOptionalString(wire, 'refusal', at)
  if (refusal !== undefined) parts.push({ type: 'refusal', text: refusal })
  const calls = readOptionalArray(wire, 'tool_calls', at)
  if (calls !== undefined) {
    for (let index = 0; index < calls.length; index += 1) {
      const path = `${at}.tool_calls[${index}]`
      parts.push(readToolCall(expectObject(calls[index], path), path))
    }
  }
  const functionCall = readOptionalObject(wire, 'function_call', at)
  if (functionCall !== undefined) parts.push(readFunctionCall(functionCall, at, transcript))
  let native = untaken(wire, details.length > 0 ? assistantKeysBesideDetails : assistantKeys, { dialect, at })
  const second = wire['reasoning']
  if (details.length === 0 && typeof second === 'string' && typeof wire['reasoning_content'] === 'string') {
    native = marked(native, { reasoning: second }, at)
  }
  if (calls?.length === 0) native = marked(native, { tool_calls: [] }, at)
  return { parts, native }
}

function readReasoning(wire: JsonObject, at: string): Part[] {
  const text = readOptionalString(wire, 'reasoning_content', at)
  if (text !== undefined) return [{ type: 'reasoning', text }]
  const other = readOptionalString(wire, 'reasoning', at)
  if (other === undefined) return []
  return [{ type: 'reasoning', text: other, native: { dialect, fields: { reasoning: true }, at } }]
}

/**
 * `reasoning_details` carries signatures and encrypted reasoning. An entry without text takes the message's own
 * reasoning text. The array itself stays in the message's `native` for the way back.
 */
function readReasoningDetails(wire: JsonObject, details: readonly JsonObject[]): Part[] {
  const native: Native = { dialect, fields: { reasoning_details: true } }
  const whole = stringOr(wire['reasoning_content'], stringOr(wire['reasoning'], ''))
  return details.map((detail): ReasoningPart => {
    if (typeof detail['data'] === 'string') {
      return { type: 'reasoning', text: '', encrypted: detail['data'], native }
    }
    const text = stringOr(detail['text'], stringOr(detail['summary'], whole))
    const signature = detail['signature']
    return typeof signature === 'string'
      ? { type: 'reasoning', text, signature, native }
      : { type: 'reasoning', text, native }
  })
}

const callKeys: ReadonlySet<string> = new Set(['id', 'type', 'function'])
const functionKeys: ReadonlySet<string> = new Set(['name', 'arguments'])

function readToolCall(wire: JsonObject, at: string): Part {
  const type = readOptionalString(wire, 'type', at)
  if (type !== undefined && type !== 'function') {
    readString(wire, 'id', at)
    return { type: 'opaque', native: { dialect, fields: wire, at } }
  }
  const id = readString(wire, 'id', at)
  const called = readObject(wire, 'function', at)
  const path = pathOf(at, 'function')
  const name = readString(called, 'name', path)
  const rest = untaken(called, functionKeys, { dialect, at: path })
  let native = untaken(wire, callKeys, { dialect, at })
  if (rest !== undefined) native = marked(native, { function: rest.fields }, at)
  const part: Part = { type: 'tool-call', id, name, arguments: readArguments(called, path) }
  return native === undefined ? part : { ...part, native }
}

/** Arguments are JSON text; some vendors send the object itself. */
function readArguments(called: JsonObject, at: string): string {
  const value = called['arguments']
  if (typeof value === 'string') return value
  if (isJsonObject(value)) return JSON.stringify(value)
  if (value === undefined || value === null) return ''
  throw invalidField(pathOf(at, 'arguments'), 'it must be JSON text')
}

function readFunctionCall(wire: JsonObject, at: string, transcript: Transcript | undefined): Part {
  const path = pathOf(at, 'function_call')
  const id = `function_call_${at}`
  if (transcript !== undefined) transcript.lastFunctionCallId = id
  const native: Native = { dialect, fields: { function_call: true }, at }
  return {
    type: 'tool-call',
    id,
    name: readString(wire, 'name', path),
    arguments: readArguments(wire, path),
    native,
  }
}

function readContent(wire: JsonObject, at: string): readonly Part[] {
  const content = wire['content']
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (content === undefined || content === null) return []
  const path = pathOf(at, 'content')
  if (!isJsonArray(content)) throw invalidField(path, 'it must be a string or an array')
  const parts: Part[] = []
  for (let index = 0; index < content.length; index += 1) {
    const partPath = `${path}[${index}]`
    parts.push(readPart(expectObject(content[index], partPath), partPath))
  }
  return parts
}

const textKeys: ReadonlySet<string> = new Set(['type', 'text'])

function readPart(wire: JsonObject, at: string): Part {
  const type = readString(wire, 'type', at)
  if (type === 'text') {
    const text = readString(wire, 'text', at)
    const native = untaken(wire, textKeys, { dialect, at })
    return native === undefined ? { type, text } : { type, text, native }
  }
  if (type === 'refusal') {
    const rest = untaken(wire, refusalKeys, { dialect, at })
    // The marker tells a refusal among the content from the message's own `refusal`.
    return { type, text: readString(wire, 'refusal', at), native: marked(rest, { type }, at) }
  }
  return readMedia(type, wire, at) ?? { type: 'opaque', native: { dialect, fields: wire, at } }
}

const refusalKeys: ReadonlySet<string> = new Set(['type', 'refusal'])
const urlKeys: ReadonlySet<string> = new Set(['url', 'detail'])
const audioKeys: ReadonlySet<string> = new Set(['data', 'format'])
const fileKeys: ReadonlySet<string> = new Set(['file_data', 'file_id', 'filename'])

function readMedia(type: string, wire: JsonObject, at: string): Part | undefined {
  if (type === 'image_url') return readImage(wire, at)
  if (type === 'video_url') {
    const inner = readObject(wire, type, at)
    const source = mediaSource(readString(inner, 'url', pathOf(at, type)))
    return withRest({ type: 'video', source }, wire, { key: type, inner, known: urlOnlyKeys, at })
  }
  if (type === 'input_audio') {
    const inner = readObject(wire, type, at)
    const path = pathOf(at, type)
    const mediaType = audioMediaType(readString(inner, 'format', path))
    const source = { kind: 'base64', mediaType, data: readString(inner, 'data', path) } as const
    return withRest({ type: 'audio', source }, wire, { key: type, inner, known: audioKeys, at })
  }
  return type === 'file' ? readFile(wire, at) : undefined
}

const urlOnlyKeys: ReadonlySet<string> = new Set(['url'])

function readImage(wire: JsonObject, at: string): Part {
  const inner = readObject(wire, 'image_url', at)
  const path = pathOf(at, 'image_url')
  const source = mediaSource(readString(inner, 'url', path))
  const detail = readOptionalString(inner, 'detail', path)
  const part: Part = detail === undefined ? { type: 'image', source } : { type: 'image', source, detail }
  return withRest(part, wire, { key: 'image_url', inner, known: urlKeys, at })
}

/** A file by id or by data URL; anything else about it is left to its own dialect. */
function readFile(wire: JsonObject, at: string): Part | undefined {
  const inner = readObject(wire, 'file', at)
  const path = pathOf(at, 'file')
  const fileId = readOptionalString(inner, 'file_id', path)
  const data = readOptionalString(inner, 'file_data', path)
  const name = readOptionalString(inner, 'filename', path)
  if (fileId === undefined && data === undefined) throw missingField(pathOf(path, 'file_id'))
  const source = fileId === undefined ? mediaSource(data ?? '') : ({ kind: 'file', fileId } as const)
  if (source.kind === 'url' || (fileId !== undefined && data !== undefined)) return undefined
  const part: Part = { type: 'document', source, ...(name === undefined ? {} : { name }) }
  return withRest(part, wire, { key: 'file', inner, known: fileKeys, at })
}

interface Nested {
  readonly key: string
  readonly inner: JsonObject
  readonly known: ReadonlySet<string>
  readonly at: string
}

/** Left-over fields of a part `{ type, [key]: inner, … }`, those of `inner` below the same key. */
function withRest(part: Part, wire: JsonObject, nested: Nested): Part {
  const { key, inner, known, at } = nested
  let native = untaken(wire, new Set(['type', key]), { dialect, at })
  const rest = untaken(inner, known, { dialect, at })
  if (rest !== undefined) native = marked(native, { [key]: rest.fields }, at)
  return native === undefined ? part : { ...part, native }
}

function audioMediaType(format: string): string {
  return format === 'mp3' ? 'audio/mpeg' : `audio/${format}`
}
