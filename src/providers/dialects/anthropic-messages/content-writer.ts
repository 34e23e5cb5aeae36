/**
 * Parts → Anthropic content blocks, for requests (where a part that cannot be expressed is refused) and for
 * responses (where it is left out and said so).
 */
import type {
  DocumentPart,
  ImagePart,
  MediaSource,
  Native,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from '../../../domain/canonical.ts'
import type { DialectId } from '../../../domain/dialect-id.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { plainCallId } from '../../call-id.ts'
import { cannotExpress, dropResponsePart, type NativeTarget, nativeFields } from '../../native.ts'
import { isJsonArray, parseJson, pathOf } from '../../reading.ts'
import { foreignProof, proofsFor, tagProof } from '../../reasoning-proof.ts'

const dialect = 'anthropic-messages'

export interface BlockTarget extends NativeTarget {
  /** A request refuses what it cannot express; a response leaves it out with a downgrade. */
  readonly kind: 'request' | 'response'
  /** The caller speaks this dialect too: parts stay exactly as they are. */
  readonly same: boolean
  /** The caller's dialect. */
  readonly caller?: DialectId | undefined
}

type Block = Record<string, JsonValue | undefined>

/** Image formats that the API takes. */
const imageTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

/** Writes a list of parts; `pathOf` names a part in the caller's terms. */
export function writeBlocks(
  parts: readonly Part[],
  target: BlockTarget,
  pathOf: (index: number) => string,
): Block[] {
  const blocks: Block[] = []
  for (const [index, part] of parts.entries()) {
    if (isEmptyText(part) && !target.same) continue
    if (target.kind === 'response') blocks.push(...writeResponsePart(part, target))
    else {
      const written = writeRequestPart(part, target, pathOf(index))
      markCached(written.at(-1), part.native, target)
      blocks.push(...written)
    }
  }
  return blocks
}

/** The API refuses empty text blocks; other dialects send them beside tool calls. */
function isEmptyText(part: Part): boolean {
  return part.type === 'text' && part.text === '' && part.native === undefined
}

/** Bedrock's cache points, which its reader hangs on the part or tool before them. */
export const translated: ReadonlySet<string> = new Set(['cachePoint'])

/** Anthropic marks a cached prefix by a field of its last block. */
export function markCached(block: Block | undefined, native: Native | undefined, target: NativeTarget): void {
  if (block === undefined || native?.dialect !== 'bedrock-converse') return
  const point = native.fields['cachePoint']
  if (!isJsonObject(point)) return
  const { type, ttl, ...others } = point
  if (type !== 'default' || Object.keys(others).length > 0) {
    target.downgrade({
      field: pathOf(native.at ?? '', 'cachePoint'),
      reason: 'only its lifetime is carried',
    })
  }
  block['cache_control'] = ttl === undefined ? { type: 'ephemeral' } : { type: 'ephemeral', ttl }
}

function writeRequestPart(part: Part, target: BlockTarget, path: string): Block[] {
  switch (part.type) {
    case 'text':
      return [
        {
          type: 'text',
          text: part.text,
          ...nativeFields(part.native, 'part', target),
        },
      ]
    case 'refusal':
      target.downgrade({ field: path, reason: 'the refusal is sent as text' })
      return [
        {
          type: 'text',
          text: part.text,
          ...nativeFields(part.native, 'part', target),
        },
      ]
    case 'image':
      return [writeImage(part, target, path)]
    case 'document':
      return [writeDocument(part, target, path)]
    case 'tool-call':
      return [writeToolCall(part, target, path)]
    case 'tool-result':
      return [writeToolResult(part, target, path)]
    case 'reasoning':
      return writeRequestReasoning(part, target, path)
    case 'opaque':
      if (part.native.dialect === dialect) return [{ ...part.native.fields }]
      throw cannotExpress(part.native.at ?? path, dialect, 'it is particular to another API')
    case 'audio':
    case 'video':
      throw cannotExpress(path, dialect, `it takes no ${part.type}`)
  }
}

function writeResponsePart(part: Part, target: BlockTarget): Block[] {
  const own = part.native?.dialect === dialect ? part.native.fields : undefined
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ type: 'text', text: part.text, ...own }]
    case 'tool-call':
      return [{ type: 'tool_use', id: part.id, name: part.name, input: responseInput(part, target), ...own }]
    case 'reasoning':
      return responseReasoning(part)
    case 'opaque':
      if (own !== undefined) return [{ ...own }]
      dropResponsePart(part, target)
      return []
    default:
      dropResponsePart(part, target)
      return []
  }
}

function writeImage(part: ImagePart, target: BlockTarget, path: string): Block {
  const { source } = part
  if (source.kind === 'base64' && !target.same && !imageTypes.has(source.mediaType)) {
    throw cannotExpress(path, dialect, 'it takes images as JPEG, PNG, GIF or WebP')
  }
  if (part.detail !== undefined && part.detail !== 'auto') {
    target.downgrade({ field: `${path}.detail`, reason: 'the provider chooses the resolution itself' })
  }
  return {
    type: 'image',
    source: writeSource(source, target, path),
    ...nativeFields(part.native, 'part', target),
  }
}

function writeDocument(part: DocumentPart, target: BlockTarget, path: string): Block {
  const block: Block = { type: 'document', source: writeDocumentSource(part.source, target, path) }
  if (part.name !== undefined) block['title'] = part.name
  return { ...block, ...nativeFields(part.native, 'part', target) }
}

function writeDocumentSource(source: MediaSource, target: BlockTarget, path: string): JsonObject {
  if (source.kind === 'base64' && !target.same && source.mediaType !== 'application/pdf') {
    if (!isText(source.mediaType))
      throw cannotExpress(path, dialect, 'it takes documents as PDF or plain text')
    return textSource(source.data)
  }
  if (source.kind === 'base64' && source.mediaType === 'text/plain') return textSource(source.data)
  return writeSource(source, target, path)
}

function isText(mediaType: string): boolean {
  return mediaType.startsWith('text/') || mediaType === 'application/json'
}

function textSource(base64: string): JsonObject {
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(base64, 'base64').toString('utf8') }
}

function writeSource(source: MediaSource, target: BlockTarget, path: string): JsonObject {
  switch (source.kind) {
    case 'base64':
      return { type: 'base64', media_type: source.mediaType, data: source.data }
    case 'url':
      if (!target.same && !/^https?:/i.test(source.url)) {
        throw cannotExpress(path, dialect, 'it fetches http and https addresses only')
      }
      return { type: 'url', url: source.url }
    case 'file':
      if (!target.same) throw cannotExpress(path, dialect, 'the file is stored with another provider')
      return { type: 'file', file_id: source.fileId }
  }
}

function writeToolCall(part: ToolCallPart, target: BlockTarget, path: string): Block {
  const input = parseArguments(part.arguments)
  if (input === undefined) {
    throw cannotExpress(path, dialect, 'the arguments of the tool call are not JSON')
  }
  return {
    type: 'tool_use',
    id: target.same ? part.id : plainCallId(part.id),
    name: part.name,
    input,
    ...nativeFields(part.native, 'part', target),
  }
}

/** No text at all means no arguments (models of other dialects answer so). */
function parseArguments(text: string): JsonValue | undefined {
  return text.trim() === '' ? {} : parseJson(text)
}

/** A model that wrote broken JSON is not hidden from the caller: the text stands under `arguments`. */
function responseInput(part: ToolCallPart, target: BlockTarget): JsonValue {
  const input = parseArguments(part.arguments)
  if (input !== undefined) return input
  target.downgrade({ field: 'content.input', reason: 'the model wrote arguments that are not JSON' })
  return { arguments: part.arguments }
}

function writeToolResult(part: ToolResultPart, target: BlockTarget, path: string): Block {
  const { content: note, ...fields } = nativeFields(part.native, 'part', target)
  const block: Block = {
    type: 'tool_result',
    tool_use_id: target.same ? part.callId : plainCallId(part.callId),
  }
  const [only] = part.content
  if (
    part.content.length === 1 &&
    only?.type === 'text' &&
    (note === 'text' || !target.same) &&
    isPlain(only)
  ) {
    block['content'] = only.text
  } else if (part.content.length > 0) {
    block['content'] = writeBlocks(part.content, target, () => path)
  } else if (isJsonArray(note)) {
    block['content'] = note
  }
  if (part.isError !== undefined) block['is_error'] = part.isError
  return { ...block, ...fields }
}

function isPlain(part: Part): boolean {
  return part.native === undefined
}

/** Reasoning goes back only with the provider's own proof; without it the API refuses the block. */
function writeRequestReasoning(part: ReasoningPart, target: BlockTarget, path: string): Block[] {
  const own = nativeFields(part.native, 'part', target)
  const { signature, encrypted } = proofsFor(part, target.caller, dialect)
  const blocks: Block[] = []
  const unsigned = target.same && part.signature === undefined && part.encrypted === undefined
  if (signature !== undefined) blocks.push({ type: 'thinking', thinking: part.text, signature, ...own })
  else if (unsigned) blocks.push({ type: 'thinking', thinking: part.text, ...own })
  if (encrypted !== undefined) blocks.push({ type: 'redacted_thinking', data: encrypted, ...own })
  if (blocks.length === 0) target.downgrade({ field: path, reason: foreignProof })
  return blocks
}

/** Readable reasoning, hidden reasoning, or one after the other where another dialect gave both in one part. */
function responseReasoning(part: ReasoningPart): Block[] {
  const own = part.native?.dialect === dialect ? part.native.fields : undefined
  const blocks: Block[] = []
  if (part.text !== '' || part.encrypted === undefined) {
    const signature = tagProof(part.signature, part.native, dialect)
    const block: Block = { type: 'thinking', thinking: part.text }
    if (signature !== undefined || own === undefined) block['signature'] = signature ?? ''
    blocks.push({ ...block, ...own })
  }
  if (part.encrypted !== undefined) {
    blocks.push({ type: 'redacted_thinking', data: tagProof(part.encrypted, part.native, dialect), ...own })
  }
  return blocks
}
