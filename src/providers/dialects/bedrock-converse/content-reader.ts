/**
 * Converse content blocks → parts. A block is a union: one member names its kind. What the canonical form has no
 * part for is opaque, whole. A cache point hangs on the part before it (native field `cachePoint`), so that other
 * dialects meet a hint there and not a block.
 */
import type { MediaSource, Native, Part, ReasoningPart, ToolResultPart } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import {
  expectObject,
  missingField,
  present,
  readOptionalArray,
  readOptionalString,
  readString,
  untaken,
} from '../../reading.ts'
import { withNote } from '../../tool-turns.ts'
import { mediaTypeOf } from './media-types.ts'

const dialect = 'bedrock-converse'

type MemberReader = (member: JsonObject, at: string) => Part | undefined

const members: ReadonlyMap<string, MemberReader> = new Map<string, MemberReader>([
  ['image', (member, at) => readMedia('image', member, at)],
  ['video', (member, at) => readMedia('video', member, at)],
  ['audio', (member, at) => readMedia('audio', member, at)],
  ['document', readDocument],
  ['toolUse', readToolUse],
  ['toolResult', readToolResult],
  ['reasoningContent', readReasoning],
])

/** Reads a list of blocks; `at` is the path of the list. */
export function readBlocks(blocks: readonly JsonValue[], at: string): Part[] {
  const parts: Part[] = []
  for (const [index, value] of blocks.entries()) {
    const path = `${at}[${index}]`
    const block = expectObject(value, path)
    const last = parts.at(-1)
    if (last !== undefined && canCarryCachePoint(last, block)) {
      parts[parts.length - 1] = withCachePoint(last, block, path)
    } else parts.push(readBlock(block, path))
  }
  return parts
}

function canCarryCachePoint(last: Part, block: JsonObject): boolean {
  if (last.type === 'opaque' || !isJsonObject(block['cachePoint']) || Object.keys(block).length !== 1)
    return false
  return last.native?.fields['cachePoint'] === undefined
}

function withCachePoint(part: Part, block: JsonObject, at: string): Part {
  const native = withNote(
    part.native,
    { cachePoint: block['cachePoint'] },
    { dialect, at: part.native?.at ?? at },
  )
  return native === undefined ? part : { ...part, native }
}

/** Reads one block; an unknown member is opaque. */
export function readBlock(block: JsonObject, at: string): Part {
  const keys = Object.keys(block)
  const [key] = keys
  if (key === undefined || keys.length > 1) return opaque(block, at)
  const value = block[key]
  if (key === 'text' && typeof value === 'string') return { type: 'text', text: value }
  if (!isJsonObject(value)) return opaque(block, at)
  return members.get(key)?.(value, `${at}.${key}`) ?? opaque(block, at)
}

function opaque(block: JsonObject, at: string): Part {
  return { type: 'opaque', native: { dialect, fields: block, at } }
}

const mediaFields: ReadonlySet<string> = new Set(['format', 'source'])

function readMedia(type: 'image' | 'video' | 'audio', member: JsonObject, at: string): Part | undefined {
  const source = readSource(type, member)
  if (source === undefined) return undefined
  return present<Part>({ type, source, native: untaken(member, mediaFields, { dialect, at }) })
}

/** Bytes, or an object store address without an owner; undefined for any other source. */
function readSource(
  kind: 'image' | 'video' | 'audio' | 'document',
  member: JsonObject,
): MediaSource | undefined {
  const { format, source } = member
  const mediaType = typeof format === 'string' ? mediaTypeOf(kind, format) : undefined
  if (mediaType === undefined || !isJsonObject(source) || Object.keys(source).length !== 1) return undefined
  const { bytes, s3Location } = source
  if (typeof bytes === 'string') return { kind: 'base64', mediaType, data: bytes }
  if (!isJsonObject(s3Location) || Object.keys(s3Location).length !== 1) return undefined
  return typeof s3Location['uri'] === 'string'
    ? { kind: 'file', fileId: s3Location['uri'], mediaType }
    : undefined
}

const documentFields: ReadonlySet<string> = new Set(['format', 'source', 'name'])

function readDocument(member: JsonObject, at: string): Part | undefined {
  const name = member['name']
  const plain = readPlainText(member)
  const source = plain ?? readSource('document', member)
  if (source === undefined || typeof name !== 'string') return undefined
  const native = untaken(member, documentFields, { dialect, at })
  // The note keeps the form of the source: text as text.
  return present<Part>({
    type: 'document',
    source,
    name,
    native: plain === undefined ? native : withNote(native, { source: 'text' }, { dialect, at }),
  })
}

function readPlainText({ format, source }: JsonObject): MediaSource | undefined {
  if (format !== 'txt' || !isJsonObject(source) || Object.keys(source).length !== 1) return undefined
  const { text } = source
  if (typeof text !== 'string' || !text.isWellFormed()) return undefined
  return { kind: 'base64', mediaType: 'text/plain', data: Buffer.from(text, 'utf8').toString('base64') }
}

const toolUseFields: ReadonlySet<string> = new Set(['toolUseId', 'name', 'input'])

function readToolUse(member: JsonObject, at: string): Part {
  const input = member['input']
  if (input === undefined) throw missingField(`${at}.input`)
  return present<Part>({
    type: 'tool-call',
    id: readString(member, 'toolUseId', at),
    name: readString(member, 'name', at),
    arguments: JSON.stringify(input),
    native: untaken(member, toolUseFields, { dialect, at }),
  })
}

const toolResultFields: ReadonlySet<string> = new Set(['toolUseId', 'content', 'status'])
const statuses: ReadonlyMap<string, boolean> = new Map([
  ['success', false],
  ['error', true],
])

function readToolResult(member: JsonObject, at: string): Part {
  const status = readOptionalString(member, 'status', at)
  const isError = status === undefined ? undefined : statuses.get(status)
  const native = untaken(member, toolResultFields, { dialect, at })
  const content = readOptionalArray(member, 'content', at) ?? []
  return present<ToolResultPart>({
    type: 'tool-result',
    callId: readString(member, 'toolUseId', at),
    content: content.map((value, index) => {
      const path = `${at}.content[${index}]`
      return readResultBlock(expectObject(value, path), path)
    }),
    isError,
    native:
      status !== undefined && isError === undefined ? withNote(native, { status }, { dialect, at }) : native,
  })
}

/** `json` reads as its text, with a note of its form. */
function readResultBlock(block: JsonObject, at: string): Part {
  const json = block['json']
  if (json === undefined || Object.keys(block).length !== 1) return readBlock(block, at)
  return { type: 'text', text: JSON.stringify(json), native: { dialect, fields: { text: 'json' }, at } }
}

const reasoningTextFields: ReadonlySet<string> = new Set(['text', 'signature'])

function readReasoning(member: JsonObject, at: string): Part | undefined {
  if (Object.keys(member).length !== 1) return undefined
  const { reasoningText, redactedContent } = member
  if (typeof redactedContent === 'string') return { type: 'reasoning', text: '', encrypted: redactedContent }
  if (!isJsonObject(reasoningText)) return undefined
  const inner = `${at}.reasoningText`
  const native: Native | undefined = untaken(reasoningText, reasoningTextFields, { dialect, at: inner })
  return present<ReasoningPart>({
    type: 'reasoning',
    text: readString(reasoningText, 'text', inner),
    signature: readOptionalString(reasoningText, 'signature', inner),
    native,
  })
}

/** Blocks of a provider's response: what cannot be read as it seems stays opaque. */
export function readResponseBlocks(content: readonly JsonObject[]): Part[] {
  return content.map((block, index) => {
    const at = `output.message.content[${index}]`
    try {
      const part = readBlock(block, at)
      return part.type === 'reasoning' && part.native === undefined ? { ...part, native: maker } : part
    } catch {
      return opaque(block, at)
    }
  })
}

/** Reasoning says who made its proof, so that callers of other dialects can carry it back to its maker. */
export const maker: Native = Object.freeze({ dialect, fields: Object.freeze({}) })
