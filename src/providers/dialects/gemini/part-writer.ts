/** Canonical parts → Gemini parts, for requests (refusing) and responses (leaving out, and saying so). */
import type {
  MediaSource,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from '../../../domain/canonical.ts'
import type { DialectId } from '../../../domain/dialect-id.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import {
  cannotExpress,
  dropResponsePart,
  type NativeTarget,
  nativeFields,
  nativeResponseFields,
} from '../../native.ts'
import { parseJson } from '../../reading.ts'
import { foreignProof, proofsFor, tagProof } from '../../reasoning-proof.ts'

const dialect = 'gemini'

/**
 * Gemini 3 demands a signature on the first call of a turn; calls that another model made have none, and this word
 * stands for it (Gemini API, "Thought signatures").
 */
export const noSignature = 'skip_thought_signature_validator'

export interface PartTarget extends NativeTarget {
  readonly same: boolean
  /** The caller's dialect. */
  readonly caller: DialectId | undefined
  /** The name of the tool that a call id belongs to; results of other dialects carry only the id. */
  readonly nameOf: (callId: string) => string | undefined
}

type WirePart = Record<string, JsonValue | undefined>

/** Parts of a request; `pathOf` names one in the caller's terms. */
export function writeParts(
  parts: readonly Part[],
  target: PartTarget,
  pathOf: (index: number) => string,
): WirePart[] {
  const out: WirePart[] = []
  let signed = target.same
  for (const [index, part] of parts.entries()) {
    const wire = writePart(part, target, pathOf(index))
    if (wire === undefined) continue
    if (part.type === 'tool-call' && !signed) {
      signed = true
      wire['thoughtSignature'] ??= noSignature
    }
    out.push(wire)
  }
  return out
}

function writePart(part: Part, target: PartTarget, path: string): WirePart | undefined {
  switch (part.type) {
    case 'text':
      if (part.text === '' && !target.same && part.native === undefined) return undefined
      return { text: part.text, ...nativeFields(part.native, 'part', target) }
    case 'refusal':
      target.downgrade({ field: path, reason: 'the refusal is sent as text' })
      return { text: part.text, ...nativeFields(part.native, 'part', target) }
    case 'image':
    case 'audio':
    case 'video':
    case 'document':
      return writeMedia(part, target, path)
    case 'tool-call':
      return writeCall(part, target, path)
    case 'tool-result':
      return writeResult(part, target, path)
    case 'reasoning':
      return writeReasoning(part, target, path)
    case 'opaque':
      if (part.native.dialect === dialect) return { ...part.native.fields }
      throw cannotExpress(part.native.at ?? path, dialect, 'it is particular to another API')
  }
}

/** A signature as a caller of this dialect carries it. */
function carried(part: ReasoningPart): string | undefined {
  return tagProof(part.signature, part.native, dialect)
}

/** One part of a response; undefined where this API has no word for it. */
export function writeResponsePart(part: Part, target: NativeTarget): WirePart | undefined {
  const own = nativeResponseFields(part.native, dialect)
  switch (part.type) {
    case 'text':
    case 'refusal':
      return { text: part.text, ...own }
    case 'reasoning':
      if (part.text === '' && part.signature === undefined) {
        dropResponsePart(part, target)
        return undefined
      }
      return { ...thought(part.text, carried(part)), ...own }
    case 'tool-call':
      return wireCall(part, responseArgs(part, target), own)
    case 'image':
    case 'audio':
    case 'video':
    case 'document':
      return mediaFields(part.source, own)
    case 'opaque':
      if (part.native.dialect === dialect) return { ...own }
      dropResponsePart(part, target)
      return undefined
    case 'tool-result':
      dropResponsePart(part, target)
      return undefined
  }
}

function thought(text: string, signature: string | undefined): WirePart {
  return signature === undefined
    ? { text, thought: true }
    : { text, thought: true, thoughtSignature: signature }
}

function writeReasoning(part: ReasoningPart, target: PartTarget, path: string): WirePart | undefined {
  const own = nativeFields(part.native, 'part', target)
  const { signature } = proofsFor(part, target.caller, dialect)
  if (signature === undefined && !(target.same && part.signature === undefined)) {
    target.downgrade({ field: path, reason: foreignProof })
    return undefined
  }
  return { ...thought(part.text, signature), ...own }
}

type MediaPart = Part & { readonly type: 'image' | 'audio' | 'video' | 'document' }

function writeMedia(part: MediaPart, target: PartTarget, path: string): WirePart {
  if (part.source.kind === 'file' && !target.same) {
    throw cannotExpress(path, dialect, 'the file is stored with another provider')
  }
  if (part.type === 'image' && part.detail !== undefined && part.detail !== 'auto') {
    target.downgrade({ field: `${path}.detail`, reason: 'the provider chooses the resolution itself' })
  }
  const own = nativeFields(part.native, 'part', target)
  const wire = mediaFields(part.source, own)
  if (part.type === 'document' && part.name !== undefined && !target.same) {
    target.downgrade({ field: `${path}.name`, reason: 'documents have no names here' })
  }
  return wire
}

function mediaFields(source: MediaSource, own: JsonObject): WirePart {
  const key = source.kind === 'base64' ? 'inlineData' : 'fileData'
  const kept = own[key]
  return { ...own, [key]: { ...mediaSource(source), ...(isJsonObject(kept) ? kept : {}) } }
}

function mediaSource(source: MediaSource): JsonObject {
  if (source.kind === 'base64') return { mimeType: source.mediaType, data: source.data }
  const fileUri = source.kind === 'url' ? source.url : source.fileId
  const mimeType = source.mediaType ?? (source.kind === 'url' ? typeOfAddress(source.url) : undefined)
  return mimeType === undefined ? { fileUri } : { mimeType, fileUri }
}

const typesByExtension: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['heic', 'image/heic'],
  ['pdf', 'application/pdf'],
  ['txt', 'text/plain'],
  ['mp3', 'audio/mp3'],
  ['wav', 'audio/wav'],
  ['mp4', 'video/mp4'],
])

/** The API wants a media type with an address; other dialects give none, so the extension must do. */
function typeOfAddress(url: string): string | undefined {
  const [path = ''] = url.split(/[?#]/, 1)
  return typesByExtension.get(path.slice(path.lastIndexOf('.') + 1).toLowerCase())
}

function writeCall(part: ToolCallPart, target: PartTarget, path: string): WirePart {
  const args = parseArgs(part.arguments)
  if (args === undefined)
    throw cannotExpress(path, dialect, 'the arguments of the tool call are not a JSON object')
  return wireCall(part, args, nativeFields(part.native, 'part', target))
}

/** No text at all means no arguments (models of other dialects answer so). */
export function parseArgs(text: string): JsonObject | undefined {
  if (text.trim() === '') return {}
  const args = parseJson(text)
  return isJsonObject(args) ? args : undefined
}

/** A model that wrote something else than an object is not hidden from the caller. */
function responseArgs(part: ToolCallPart, target: NativeTarget): JsonObject {
  const args = parseArgs(part.arguments)
  if (args !== undefined) return args
  target.downgrade({
    field: 'functionCall.args',
    reason: 'the model wrote arguments that are not a JSON object',
  })
  return { arguments: part.arguments }
}

/** `note` says which of the fields the caller or the provider left out. */
function wireCall(part: ToolCallPart, args: JsonObject, own: JsonObject): WirePart {
  const { text: note, functionCall: kept, ...rest } = own
  const shape = isJsonObject(note) ? note : {}
  const call: Record<string, JsonValue | undefined> = {}
  if (shape['id'] !== false) call['id'] = part.id
  call['name'] = part.name
  if (shape['args'] !== false || Object.keys(args).length > 0) call['args'] = args
  return { ...rest, functionCall: { ...call, ...(isJsonObject(kept) ? kept : {}) } }
}

function writeResult(part: ToolResultPart, target: PartTarget, path: string): WirePart {
  const { text: note, functionResponse: kept, ...rest } = nativeFields(part.native, 'part', target)
  const shape = isJsonObject(note) ? note : {}
  const name = part.name ?? target.nameOf(part.callId)
  if (name === undefined) throw cannotExpress(path, dialect, 'no tool call with this id precedes the result')
  const wire: Record<string, JsonValue | undefined> = {}
  if (shape['id'] !== false) wire['id'] = part.callId
  wire['name'] = name
  const response = resultObject(part, shape['shape'])
  if (response !== undefined) wire['response'] = response
  const parts = writeParts(
    part.content.filter((inner) => inner.type !== 'text'),
    target,
    () => path,
  )
  if (parts.length > 0 || shape['parts'] === true) wire['parts'] = parts
  return { ...rest, functionResponse: { ...wire, ...(isJsonObject(kept) ? kept : {}) } }
}

/** In the shape it came in; results of other dialects are text, so they stand under `output` or `error`. */
function resultObject(part: ToolResultPart, shape: JsonValue | undefined): JsonObject | undefined {
  const text = part.content.map((inner) => (inner.type === 'text' ? inner.text : '')).join('')
  if (shape === 'none' && text === '') return undefined
  if (shape === 'json') {
    const object = parseJson(text)
    if (isJsonObject(object)) return object
  }
  return part.isError === true ? { error: text } : { output: text }
}
