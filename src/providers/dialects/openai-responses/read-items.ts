/**
 * Items of the Responses API → canonical parts and messages.
 *
 * An assistant turn is several items here (reasoning, message, function_call, calls of built-in tools) and one
 * message in the canonical form. Where an item begins, and what it says besides its content, is kept in the part's
 * native field `item`. Items that only OpenAI understands become opaque parts that hold the whole item there.
 */
import type { Message, Native, Part, ToolResultPart } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import { mediaSource } from '../../data-url.ts'
import {
  expectObject,
  invalidField,
  isJsonArray,
  missingField,
  objectsIn,
  pathOf,
  readObject,
  readOptionalString,
  readString,
  stringOr,
  untaken,
} from '../../reading.ts'

const dialect = 'openai-responses'

/**
 * Marks a signature inside `encrypted_content`, the one field that clients of this API send back unchanged; without
 * the mark it is encrypted reasoning. Whose it is, `reasoning-proof.ts` tells.
 */
export const signatureMark = 'gatewright.signature:'

export function readInput(list: readonly JsonValue[], at: string): Message[] {
  const messages: Message[] = []
  let turn: Part[] | undefined
  for (let index = 0; index < list.length; index += 1) {
    const path = `${at}[${index}]`
    const item = expectObject(list[index], path)
    if (isAssistantItem(item)) {
      if (turn === undefined) {
        turn = []
        messages.push({ role: 'assistant', parts: turn, at: path })
      }
      for (const part of readOutputItem(item, path, turn.at(-1))) turn.push(part)
    } else {
      turn = undefined
      messages.push(readCallerItem(item, path))
    }
  }
  return messages
}

/** What the model said in an earlier turn; results and references come from the caller. */
function isAssistantItem(item: JsonObject): boolean {
  const type = item['type']
  if (type === undefined || type === 'message') return item['role'] === 'assistant'
  return type === 'reasoning' || (typeof type === 'string' && type.endsWith('_call'))
}

const callerRoles: ReadonlyMap<string, Message['role']> = new Map([
  ['user', 'user'],
  ['system', 'system'],
  ['developer', 'system'],
])
const messageKeys: ReadonlySet<string> = new Set(['type', 'role', 'content'])
const outputKeys: ReadonlySet<string> = new Set(['type', 'call_id', 'output'])

function readCallerItem(item: JsonObject, at: string): Message {
  const type = readOptionalString(item, 'type', at) ?? 'message'
  if (type === 'function_call_output' || type === 'custom_tool_call_output') {
    return { role: 'tool', parts: [readCallOutput(item, type, at)], at }
  }
  if (type !== 'message') {
    return { role: 'user', parts: [{ type: 'opaque', native: { dialect, fields: { item }, at } }], at }
  }
  const wireRole = readString(item, 'role', at)
  const role = callerRoles.get(wireRole)
  if (role === undefined) throw invalidField(pathOf(at, 'role'), 'it must name a known role')
  const parts = readContent(item, 'content', at)
  let native = untaken(item, messageKeys, { dialect, at })
  if (wireRole === 'developer') native = { dialect, fields: { ...native?.fields, role: wireRole }, at }
  return native === undefined ? { role, parts, at } : { role, parts, at, native }
}

function readCallOutput(item: JsonObject, type: string, at: string): ToolResultPart {
  const callId = readString(item, 'call_id', at)
  const content = readContent(item, 'output', at)
  let native = untaken(item, outputKeys, { dialect, at })
  if (type !== 'function_call_output') native = { dialect, fields: { ...native?.fields, type }, at }
  const result: ToolResultPart = { type: 'tool-result', callId, content }
  return native === undefined ? result : { ...result, native }
}

/** One item of the model. `before` is the part that stands before it in the same turn. */
export function readOutputItem(item: JsonObject, at: string, before?: Part): readonly Part[] {
  const type = item['type'] ?? 'message'
  if (type === 'message') return readOutputMessage(item, at, before)
  if (type === 'function_call') return [readFunctionCall(item, at)]
  if (type === 'reasoning') return [readReasoning(item, at)]
  return [{ type: 'opaque', native: { dialect, fields: { item }, at } }]
}

function readOutputMessage(item: JsonObject, at: string, before: Part | undefined): readonly Part[] {
  const parts = [...readContent(item, 'content', at)]
  const [first] = parts
  const rest = untaken(item, messageKeys, { dialect, at })
  if (first === undefined || parts.some((part) => part.type === 'opaque'))
    return [{ type: 'opaque', native: { dialect, fields: { item }, at } }]
  const continues = before?.type === 'text' || before?.type === 'refusal'
  if (rest !== undefined || continues) parts[0] = withItem(first, rest?.fields ?? {}, at)
  return parts
}

/** Marks the first part of an item. */
function withItem(part: Part, item: JsonObject, at: string): Part {
  const native: Native = { dialect, fields: { ...part.native?.fields, item }, at: part.native?.at ?? at }
  return { ...part, native }
}

const callKeys: ReadonlySet<string> = new Set(['type', 'call_id', 'name', 'arguments'])

function readFunctionCall(item: JsonObject, at: string): Part {
  const part: Part = {
    type: 'tool-call',
    id: readString(item, 'call_id', at),
    name: readString(item, 'name', at),
    arguments: readOptionalString(item, 'arguments', at) ?? '',
  }
  const native = untaken(item, callKeys, { dialect, at })
  return native === undefined ? part : { ...part, native }
}

/** Summary where there is one, else the raw reasoning text; paragraphs for parts. */
export function reasoningText(item: JsonObject): string {
  const summary = objectsIn(item['summary'])
  return (summary.length > 0 ? summary : objectsIn(item['content']))
    .map((part) => stringOr(part['text'], ''))
    .join('\n\n')
}

function readReasoning(item: JsonObject, at: string): Part {
  const proof = readOptionalString(item, 'encrypted_content', at)
  const native: Native = { dialect, fields: { item }, at }
  const text = reasoningText(item)
  if (proof === undefined) return { type: 'reasoning', text, native }
  return { type: 'reasoning', text, ...proofFields(proof), native }
}

/** `encrypted_content` → signature or encrypted reasoning. */
export function proofFields(proof: string): { readonly signature: string } | { readonly encrypted: string } {
  return proof.startsWith(signatureMark)
    ? { signature: proof.slice(signatureMark.length) }
    : { encrypted: proof }
}

function readContent(holder: JsonObject, key: string, at: string): readonly Part[] {
  const content = holder[key]
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  const path = pathOf(at, key)
  if (content === undefined) throw missingField(path)
  if (content === null) return []
  if (!isJsonArray(content)) throw invalidField(path, 'it must be a string or an array')
  return content.map((value, index) => {
    const partPath = `${path}[${index}]`
    return readPart(expectObject(value, partPath), partPath)
  })
}

const textKeys: ReadonlySet<string> = new Set(['type', 'text'])
const refusalKeys: ReadonlySet<string> = new Set(['type', 'refusal'])
const imageKeys: ReadonlySet<string> = new Set(['type', 'image_url', 'file_id', 'detail'])
const fileKeys: ReadonlySet<string> = new Set(['type', 'file_data', 'file_id', 'file_url', 'filename'])
const audioKeys: ReadonlySet<string> = new Set(['type', 'input_audio'])

function readPart(wire: JsonObject, at: string): Part {
  const type = readString(wire, 'type', at)
  if (type === 'input_text' || type === 'output_text' || type === 'text') {
    return withRest({ type: 'text', text: readString(wire, 'text', at) }, leftOfText(wire, at))
  }
  if (type === 'refusal') {
    const part: Part = { type, text: readString(wire, 'refusal', at) }
    return withRest(part, untaken(wire, refusalKeys, { dialect, at }))
  }
  const media = readMedia(type, wire, at)
  return media ?? { type: 'opaque', native: { dialect, fields: wire, at } }
}

/** Empty annotations are what every output text has. */
function leftOfText(wire: JsonObject, at: string): Native | undefined {
  const native = untaken(wire, textKeys, { dialect, at })
  const annotations = native?.fields['annotations']
  if (native === undefined || !isJsonArray(annotations) || annotations.length > 0) return native
  const { annotations: _, ...rest } = native.fields
  return Object.keys(rest).length === 0 ? undefined : { ...native, fields: rest }
}

function withRest(part: Part & { type: Exclude<Part['type'], 'opaque'> }, native: Native | undefined): Part {
  return native === undefined ? part : { ...part, native }
}

function readMedia(type: string, wire: JsonObject, at: string): Part | undefined {
  if (type === 'input_image') {
    const url = readOptionalString(wire, 'image_url', at)
    const fileId = readOptionalString(wire, 'file_id', at)
    if (url === undefined && fileId === undefined) throw missingField(pathOf(at, 'image_url'))
    if (url !== undefined && fileId !== undefined) return undefined
    const detail = readOptionalString(wire, 'detail', at)
    const source = fileId === undefined ? mediaSource(url ?? '') : ({ kind: 'file', fileId } as const)
    const part = { type: 'image', source, ...(detail === undefined ? {} : { detail }) } as const
    return withRest(part, untaken(wire, imageKeys, { dialect, at }))
  }
  if (type === 'input_audio') {
    const inner = readObject(wire, 'input_audio', at)
    const path = pathOf(at, 'input_audio')
    if (Object.keys(inner).length !== 2) return undefined
    const format = readString(inner, 'format', path)
    const mediaType = format === 'mp3' ? 'audio/mpeg' : `audio/${format}`
    const source = { kind: 'base64', mediaType, data: readString(inner, 'data', path) } as const
    return withRest({ type: 'audio', source }, untaken(wire, audioKeys, { dialect, at }))
  }
  return type === 'input_file' ? readFile(wire, at) : undefined
}

/** A file by exactly one of id, URL and data URL; anything else is left to its own dialect. */
function readFile(wire: JsonObject, at: string): Part | undefined {
  const fileId = readOptionalString(wire, 'file_id', at)
  const url = readOptionalString(wire, 'file_url', at)
  const data = readOptionalString(wire, 'file_data', at)
  const name = readOptionalString(wire, 'filename', at)
  if ([fileId, url, data].filter((value) => value !== undefined).length !== 1) return undefined
  let source = fileId === undefined ? mediaSource(data ?? url ?? '') : ({ kind: 'file', fileId } as const)
  if (data !== undefined && source.kind !== 'base64') return undefined
  if (url !== undefined) source = { kind: 'url', url }
  const part = { type: 'document', source, ...(name === undefined ? {} : { name }) } as const
  return withRest(part, untaken(wire, fileKeys, { dialect, at }))
}
