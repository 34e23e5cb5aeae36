/** Parts → Converse content blocks, for requests (refusing) and responses (leaving out, and saying so). */
import type {
  DocumentPart,
  MediaSource,
  Native,
  Part,
  ReasoningPart,
  ToolResultPart,
} from '../../../domain/canonical.ts'
import type { DialectId } from '../../../domain/dialect-id.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { plainCallId } from '../../call-id.ts'
import {
  cannotExpress,
  dropResponsePart,
  type NativeTarget,
  nativeFields,
  nativeResponseFields,
} from '../../native.ts'
import { parseJson, pathOf } from '../../reading.ts'
import { foreignProof, type Proofs, proofsFor, tagProof } from '../../reasoning-proof.ts'
import { formatOf } from './media-types.ts'

const dialect = 'bedrock-converse'

export interface BlockTarget extends NativeTarget {
  readonly same: boolean
  /** The caller's dialect. */
  readonly caller: DialectId | undefined
  /** A number for each document, for names: they must differ within a request. */
  readonly nextDocument: () => number
}

/** Anthropic's cache hints, expressed as cache points behind the block. */
export const translated: ReadonlySet<string> = new Set(['cache_control'])

export function writeBlocks(
  parts: readonly Part[],
  target: BlockTarget,
  pathOf: (index: number) => string,
): JsonObject[] {
  const blocks: JsonObject[] = []
  for (const [index, part] of parts.entries()) {
    if (part.type === 'text' && part.text === '' && !target.same) continue
    const written = writePart(part, target, pathOf(index))
    blocks.push(...written)
    const point =
      part.type === 'opaque' || written.length === 0 ? undefined : cachePointOf(part.native, target)
    if (point !== undefined) blocks.push(point)
  }
  return blocks
}

/** Our own cache point, or Anthropic's hint of the same meaning; what else a hint says is reported. */
export function cachePointOf(native: Native | undefined, target: NativeTarget): JsonObject | undefined {
  if (native === undefined) return undefined
  if (native.dialect === dialect) {
    const own = native.fields['cachePoint']
    return own === undefined ? undefined : { cachePoint: own }
  }
  const hint = native.fields['cache_control']
  if (!isJsonObject(hint)) return undefined
  const { type, ttl, ...others } = hint
  if (type !== 'ephemeral' || Object.keys(others).length > 0) {
    target.downgrade({
      field: pathOf(native.at ?? '', 'cache_control'),
      reason: 'only its lifetime is carried',
    })
  }
  return { cachePoint: typeof ttl === 'string' ? { type: 'default', ttl } : { type: 'default' } }
}

function callId(id: string, target: BlockTarget): string {
  return target.same ? id : plainCallId(id)
}

function own(part: Part, target: BlockTarget): JsonObject {
  const { cachePoint: _point, ...fields } = nativeFields(part.native, 'part', target)
  return fields
}

function writePart(part: Part, target: BlockTarget, path: string): JsonObject[] {
  switch (part.type) {
    case 'text':
      return [writeText(part.text, own(part, target))]
    case 'refusal':
      target.downgrade({ field: path, reason: 'the refusal is sent as text' })
      return [writeText(part.text, own(part, target))]
    case 'image':
    case 'video':
    case 'audio':
      if (part.type === 'image' && part.detail !== undefined && part.detail !== 'auto') {
        target.downgrade({ field: `${path}.detail`, reason: 'the provider chooses the resolution itself' })
      }
      return [
        { [part.type]: { ...writeMedia(part.type, part.source, { target, path }), ...own(part, target) } },
      ]
    case 'document':
      return [writeDocument(part, target, path)]
    case 'tool-call': {
      const input = part.arguments.trim() === '' ? {} : parseJson(part.arguments)
      if (input === undefined)
        throw cannotExpress(path, dialect, 'the arguments of the tool call are not JSON')
      return [
        { toolUse: { toolUseId: callId(part.id, target), name: part.name, input, ...own(part, target) } },
      ]
    }
    case 'tool-result':
      return [writeToolResult(part, target, path)]
    case 'reasoning':
      return writeRequestReasoning(part, target, path)
    case 'opaque':
      if (part.native.dialect === dialect) return [part.native.fields]
      throw cannotExpress(part.native.at ?? path, dialect, 'it is particular to another API')
  }
}

/** The note `text: json` marks the text of a JSON result. */
function writeText(text: string, { text: note, ...fields }: JsonObject): JsonObject {
  const json = note === 'json' ? parseJson(text) : undefined
  return json === undefined ? { text, ...fields } : { json }
}

interface Place {
  readonly target: BlockTarget
  readonly path: string
}

function writeMedia(
  kind: 'image' | 'video' | 'audio' | 'document',
  source: MediaSource,
  { target, path }: Place,
): JsonObject {
  const format = source.mediaType === undefined ? undefined : formatOf(kind, source.mediaType)
  if (source.kind === 'url')
    throw cannotExpress(path, dialect, 'it fetches no addresses; send the data itself')
  if (format === undefined) throw cannotExpress(path, dialect, `it takes no ${kind} of this type`)
  if (source.kind === 'base64') return { format, source: { bytes: source.data } }
  if (!target.same) throw cannotExpress(path, dialect, 'the file is stored with another provider')
  return { format, source: { s3Location: { uri: source.fileId } } }
}

function writeDocument(part: DocumentPart, target: BlockTarget, path: string): JsonObject {
  const { source: note, ...fields } = own(part, target)
  const media = writeMedia('document', part.source, { target, path })
  const asText = note === 'text' && part.source.kind === 'base64'
  const source = asText ? { text: Buffer.from(part.source.data, 'base64').toString('utf8') } : media['source']
  return { document: { ...media, source, name: documentName(part, target), ...fields } }
}

/** The API takes letters, digits, single spaces, hyphens, parentheses and brackets, at most 200 (DocumentBlock). */
function documentName(part: DocumentPart, target: BlockTarget): string {
  if (target.same && part.name !== undefined) return part.name
  const name = (part.name ?? '')
    .replace(/[^A-Za-z0-9\s()[\]-]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 180)
  const number = target.nextDocument()
  return name === '' ? `document ${number}` : number === 1 ? name : `${name} ${number}`
}

function writeToolResult(part: ToolResultPart, target: BlockTarget, path: string): JsonObject {
  const { status: note, ...fields } = own(part, target)
  const status = part.isError === undefined ? note : part.isError ? 'error' : 'success'
  const content = writeBlocks(part.content, target, () => path)
  // An empty result is refused by the API; other dialects send one.
  const filled = content.length === 0 && !target.same ? [{ text: '(no output)' }] : content
  const result: Record<string, JsonValue | undefined> = {
    toolUseId: callId(part.callId, target),
    content: filled,
  }
  if (status !== undefined) result['status'] = status
  return { toolResult: { ...result, ...fields } }
}

function writeRequestReasoning(part: ReasoningPart, target: BlockTarget, path: string): JsonObject[] {
  const fields = own(part, target)
  const proofs = proofsFor(part, target.caller, dialect)
  const unsigned = target.same && part.signature === undefined && part.encrypted === undefined
  const blocks = reasoningBlocks(
    proofs.signature === undefined && !unsigned ? undefined : part.text,
    proofs,
    fields,
  )
  if (blocks.length === 0) target.downgrade({ field: path, reason: foreignProof })
  return blocks
}

/** Readable and hidden reasoning are two blocks here. */
function reasoningBlocks(
  text: string | undefined,
  { signature, encrypted }: Proofs,
  fields: JsonObject,
): JsonObject[] {
  const blocks: JsonObject[] = []
  if (text !== undefined) {
    const readable = signature === undefined ? { text } : { text, signature }
    blocks.push({ reasoningContent: { reasoningText: { ...readable, ...fields } } })
  }
  if (encrypted !== undefined) blocks.push({ reasoningContent: { redactedContent: encrypted } })
  return blocks
}

function responseReasoning(part: ReasoningPart, fields: JsonObject): JsonObject[] {
  const proofs = {
    signature: tagProof(part.signature, part.native, dialect),
    encrypted: tagProof(part.encrypted, part.native, dialect),
  }
  const text = part.text === '' && proofs.encrypted !== undefined ? undefined : part.text
  return reasoningBlocks(text, proofs, fields)
}

/** Blocks of one part of a response. */
export function writeResponsePart(part: Part, target: NativeTarget): JsonObject[] {
  const fields = nativeResponseFields(part.native, dialect)
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ text: part.text }]
    case 'tool-call':
      return [
        { toolUse: { toolUseId: part.id, name: part.name, input: responseInput(part, target), ...fields } },
      ]
    case 'reasoning':
      return responseReasoning(part, fields)
    case 'opaque':
      if (part.native.dialect === dialect) return [fields]
      break
    case 'image':
    case 'video':
    case 'audio': {
      const media = responseMedia(part.type, part.source)
      if (media !== undefined) return [{ [part.type]: { ...media, ...fields } }]
      break
    }
    default:
      break
  }
  dropResponsePart(part, target)
  return []
}

function responseMedia(kind: 'image' | 'video' | 'audio', source: MediaSource): JsonObject | undefined {
  const format = source.mediaType === undefined ? undefined : formatOf(kind, source.mediaType)
  if (source.kind === 'url' || format === undefined) return undefined
  if (source.kind === 'base64') return { format, source: { bytes: source.data } }
  return { format, source: { s3Location: { uri: source.fileId } } }
}

/** A model that wrote broken JSON is not hidden from the caller: the text stands under `arguments`. */
function responseInput(part: Part & { readonly type: 'tool-call' }, target: NativeTarget): JsonValue {
  const input = part.arguments.trim() === '' ? {} : parseJson(part.arguments)
  if (input !== undefined) return input
  target.downgrade({ field: 'toolUse.input', reason: 'the model wrote arguments that are not JSON' })
  return { arguments: part.arguments }
}
