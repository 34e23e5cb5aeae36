/**
 * Anthropic content blocks → parts, for requests and responses alike. A block that has no canonical counterpart
 * (server tools, search results, plain-text sources with extra fields …) becomes an opaque part that holds the
 * block whole, so nothing is lost on the way back.
 */
import type { DocumentPart, MediaSource, Native, Part, ToolResultPart } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import { isJsonObject } from '../../../domain/json.ts'
import {
  expectObject,
  invalidField,
  isJsonArray,
  missingField,
  present,
  readOptionalBoolean,
  readOptionalString,
  readString,
  untaken,
} from '../../reading.ts'
import { withNote } from '../../tool-turns.ts'

const dialect = 'anthropic-messages'

const textFields: ReadonlySet<string> = new Set(['type', 'text'])
const imageFields: ReadonlySet<string> = new Set(['type', 'source'])
const documentFields: ReadonlySet<string> = new Set(['type', 'source', 'title'])
const toolUseFields: ReadonlySet<string> = new Set(['type', 'id', 'name', 'input'])
const toolResultFields: ReadonlySet<string> = new Set(['type', 'tool_use_id', 'content', 'is_error'])
const thinkingFields: ReadonlySet<string> = new Set(['type', 'thinking', 'signature'])
const redactedFields: ReadonlySet<string> = new Set(['type', 'data'])

/** Notes of shape use the name of a field that the canonical form carries, so no caller's field can collide. */
export const textNote: JsonObject = Object.freeze({ content: 'text' })

/** Reads a list of blocks; `at` is the path of the list. Throws `invalidField` on what is not a block. */
export function readBlocks(blocks: readonly JsonValue[], at: string): Part[] {
  return blocks.map((block, index) => {
    const path = `${at}[${index}]`
    return readBlock(expectObject(block, path), path)
  })
}

type BlockReader = (block: JsonObject, at: string) => Part

const readers: ReadonlyMap<string, BlockReader> = new Map<string, BlockReader>([
  ['text', readText],
  ['image', readImage],
  ['document', readDocument],
  ['tool_use', readToolUse],
  ['tool_result', readToolResult],
  ['thinking', readThinking],
  ['redacted_thinking', readRedacted],
])

/** Reads one block; an unknown type is opaque. */
export function readBlock(block: JsonObject, at: string): Part {
  const type = readString(block, 'type', at)
  return readers.get(type)?.(block, at) ?? opaque(block, at)
}

function opaque(block: JsonObject, at: string): Part {
  return { type: 'opaque', native: { dialect, fields: block, at } }
}

function readText(block: JsonObject, at: string): Part {
  const text = readString(block, 'text', at)
  return present({ type: 'text', text, native: untaken(block, textFields, { dialect, at }) })
}

function readImage(block: JsonObject, at: string): Part {
  const source = readSource(expectObject(block['source'], `${at}.source`))
  if (source === undefined) return opaque(block, at)
  return present({ type: 'image', source, native: untaken(block, imageFields, { dialect, at }) })
}

function readDocument(block: JsonObject, at: string): Part {
  const wire = expectObject(block['source'], `${at}.source`)
  const source = readPlainText(wire) ?? readSource(wire)
  const title = block['title']
  if (source === undefined || (typeof title !== 'string' && title !== undefined && title !== null)) {
    return opaque(block, at)
  }
  return present<DocumentPart>({
    type: 'document',
    source,
    name: title ?? undefined,
    native: untaken(block, documentFields, { dialect, at }),
  })
}

/** A source that the canonical form carries exactly; undefined for any other. */
function readSource(source: JsonObject): MediaSource | undefined {
  const { type, media_type: mediaType, data, url, file_id: fileId } = source
  const size = Object.keys(source).length
  if (type === 'url' && size === 2 && typeof url === 'string') return { kind: 'url', url }
  if (type === 'file' && size === 2 && typeof fileId === 'string') return { kind: 'file', fileId }
  if (type !== 'base64' || size !== 3 || typeof mediaType !== 'string' || typeof data !== 'string') {
    return undefined
  }
  // Plain text is written back as a text source, so a base64 one keeps its form as an opaque block.
  return mediaType === 'text/plain' ? undefined : { kind: 'base64', mediaType, data }
}

/** `{type: text, media_type: text/plain, data}`; a lone surrogate would not survive UTF-8. */
function readPlainText(source: JsonObject): MediaSource | undefined {
  const { type, media_type: mediaType, data } = source
  if (type !== 'text' || mediaType !== 'text/plain' || typeof data !== 'string') return undefined
  if (Object.keys(source).length !== 3 || !data.isWellFormed()) return undefined
  return { kind: 'base64', mediaType, data: Buffer.from(data, 'utf8').toString('base64') }
}

function readToolUse(block: JsonObject, at: string): Part {
  const input = block['input']
  if (input === undefined) throw missingField(`${at}.input`)
  return present({
    type: 'tool-call',
    id: readString(block, 'id', at),
    name: readString(block, 'name', at),
    arguments: JSON.stringify(input),
    native: untaken(block, toolUseFields, { dialect, at }),
  })
}

function readToolResult(block: JsonObject, at: string): Part {
  const content = block['content']
  return present<ToolResultPart>({
    type: 'tool-result',
    callId: readString(block, 'tool_use_id', at),
    content: readResultContent(content, `${at}.content`),
    isError: readOptionalBoolean(block, 'is_error', at),
    native: withNote(untaken(block, toolResultFields, { dialect, at }), contentNote(content), {
      dialect,
      at,
    }),
  })
}

function readResultContent(content: JsonValue | undefined, at: string): readonly Part[] {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (isJsonArray(content)) return readBlocks(content, at)
  throw invalidField(at, 'it must be a string or an array of blocks')
}

/** A string, and an empty list (against none), are shapes to remember. */
function contentNote(content: JsonValue | undefined): JsonObject | undefined {
  if (typeof content === 'string') return textNote
  return isJsonArray(content) && content.length === 0 ? { content } : undefined
}

function readThinking(block: JsonObject, at: string): Part {
  return present({
    type: 'reasoning',
    text: readString(block, 'thinking', at),
    signature: readOptionalString(block, 'signature', at),
    native: untaken(block, thinkingFields, { dialect, at }),
  })
}

function readRedacted(block: JsonObject, at: string): Part {
  return present({
    type: 'reasoning',
    text: '',
    encrypted: readString(block, 'data', at),
    native: untaken(block, redactedFields, { dialect, at }),
  })
}

/** Blocks of a provider's response: what cannot be read as its type says stays opaque. */
export function readResponseBlocks(content: JsonValue | undefined): Part[] {
  if (!isJsonArray(content)) return []
  return content.filter(isJsonObject).map((block, index) => {
    const at = `content[${index}]`
    try {
      return markMaker(readBlock(block, at))
    } catch {
      return opaque(block, at)
    }
  })
}

/** Reasoning says who made its proof, so that callers of other dialects can carry it back to its maker. */
function markMaker(part: Part): Part {
  return part.type === 'reasoning' && part.native === undefined ? { ...part, native: maker } : part
}

export const maker: Native = Object.freeze({ dialect, fields: Object.freeze({}) })
