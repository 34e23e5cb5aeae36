/**
 * Gemini parts → canonical parts. A part with none or several of the data fields that the canonical form knows
 * becomes an opaque part that holds it whole.
 *
 * Notes of shape stand under `text` in the native fields of function calls and responses: such a part can have no
 * `text` of its own.
 */
import type {
  MediaSource,
  Native,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import {
  expectObject,
  isJsonArray,
  present,
  readOptionalObject,
  readOptionalString,
  readString,
  untaken,
} from '../../reading.ts'
import { withNote } from '../../tool-turns.ts'
import type { CallIds } from './call-ids.ts'
import { camelCased, readNested } from './fields.ts'

const dialect = 'gemini'

type PartReader = (part: JsonObject, at: string, ids: CallIds) => Part

const readers: readonly (readonly [key: string, read: PartReader])[] = [
  ['text', readText],
  ['functionCall', readFunctionCall],
  ['functionResponse', readFunctionResponse],
  ['inlineData', readInlineData],
  ['fileData', readFileData],
]

/** Throws `invalidField` or `missingField` below `at`, the path of the list. */
export function readParts(parts: readonly JsonValue[], at: string, ids: CallIds): Part[] {
  return parts.map((value, index) => {
    const path = `${at}[${index}]`
    return readPart(expectObject(value, path), path, ids)
  })
}

export function readPart(wire: JsonObject, at: string, ids: CallIds): Part {
  const part = camelCased(wire, at)
  let found: PartReader | undefined
  for (const [key, read] of readers) {
    const value = part[key]
    if (value === undefined || value === null) continue
    if (found !== undefined) return opaque(part, at)
    found = read
  }
  return found?.(part, at, ids) ?? opaque(part, at)
}

function opaque(part: JsonObject, at: string): Part {
  return { type: 'opaque', native: { dialect, fields: part, at } }
}

const textFields: ReadonlySet<string> = new Set(['text'])
const thoughtFields: ReadonlySet<string> = new Set(['text', 'thought', 'thoughtSignature'])

function readText(part: JsonObject, at: string): Part {
  const text = readString(part, 'text', at)
  if (part['thought'] !== true) {
    return present({ type: 'text', text, native: untaken(part, textFields, { dialect, at }) })
  }
  return present<ReasoningPart>({
    type: 'reasoning',
    text,
    signature: readOptionalString(part, 'thoughtSignature', at),
    native: untaken(part, thoughtFields, { dialect, at }),
  })
}

/** What is left of a part and of its data object, with a note of shape. */
function leftovers(part: JsonObject, inner: Inner, at: string): Native | undefined {
  const rest = untaken(part, new Set([inner.key]), { dialect, at })
  const innerRest = untaken(inner.object, inner.known, { dialect, at })
  const kept =
    innerRest === undefined ? rest : withNote(rest, { [inner.key]: innerRest.fields }, { dialect, at })
  return withNote(kept, inner.note, { dialect, at })
}

interface Inner {
  readonly key: string
  readonly object: JsonObject
  readonly known: ReadonlySet<string>
  readonly note?: JsonObject | undefined
}

const callFields: ReadonlySet<string> = new Set(['id', 'name', 'args'])

function readFunctionCall(part: JsonObject, at: string, ids: CallIds): Part {
  const call = readNested(part, 'functionCall', at) ?? {}
  // Arguments that arrive in pieces (Vertex) are understood by Gemini clients alone.
  if (call['partialArgs'] !== undefined || call['willContinue'] !== undefined) return opaque(part, at)
  const inner = `${at}.functionCall`
  const name = readString(call, 'name', inner)
  const id = readOptionalString(call, 'id', inner)
  const args = readOptionalObject(call, 'args', inner)
  const note =
    id !== undefined && args !== undefined
      ? undefined
      : { text: { id: id !== undefined, args: args !== undefined } }
  return present<ToolCallPart>({
    type: 'tool-call',
    id: ids.call(name, id),
    name,
    arguments: JSON.stringify(args ?? {}),
    native: leftovers(part, { key: 'functionCall', object: call, known: callFields, note }, at),
  })
}

const responseFields: ReadonlySet<string> = new Set(['id', 'name', 'response', 'parts'])

/**
 * `response.output` is the result and `response.error` the failure; without either, the whole object is the result
 * (FunctionResponse reference).
 */
function readFunctionResponse(part: JsonObject, at: string, ids: CallIds): Part {
  const inner = `${at}.functionResponse`
  const object = readNested(part, 'functionResponse', at) ?? {}
  const name = readString(object, 'name', inner)
  const id = readOptionalString(object, 'id', inner)
  const response = readOptionalObject(object, 'response', inner)
  const { text, shape } = readResult(response)
  const content: Part[] = text === undefined ? [] : [{ type: 'text', text }]
  const parts = object['parts']
  if (isJsonArray(parts)) content.push(...readParts(parts, `${inner}.parts`, ids))
  const note = { text: { id: id !== undefined, shape, parts: isJsonArray(parts) } }
  return present<ToolResultPart>({
    type: 'tool-result',
    callId: ids.answer(name, id),
    name,
    content,
    isError: shape === 'error' ? true : undefined,
    native: leftovers(part, { key: 'functionResponse', object, known: responseFields, note }, at),
  })
}

export type ResultShape = 'none' | 'output' | 'error' | 'json'

function readResult(response: JsonObject | undefined): { text: string | undefined; shape: ResultShape } {
  if (response === undefined) return { text: undefined, shape: 'none' }
  const { output, error } = response
  if (Object.keys(response).length === 1) {
    if (typeof output === 'string') return { text: output, shape: 'output' }
    if (typeof error === 'string') return { text: error, shape: 'error' }
  }
  return { text: JSON.stringify(response), shape: 'json' }
}

const inlineFields: ReadonlySet<string> = new Set(['mimeType', 'data'])
const fileFields: ReadonlySet<string> = new Set(['mimeType', 'fileUri'])

function readInlineData(part: JsonObject, at: string): Part {
  const object = readNested(part, 'inlineData', at) ?? {}
  const inner = `${at}.inlineData`
  const mediaType = readString(object, 'mimeType', inner)
  const source: MediaSource = { kind: 'base64', mediaType, data: readString(object, 'data', inner) }
  return mediaPart(source, mediaType, leftovers(part, { key: 'inlineData', object, known: inlineFields }, at))
}

/** Addresses that only Google can read. */
const storedFile = /^(?:gs:\/\/|https:\/\/generativelanguage\.googleapis\.com\/)/

function readFileData(part: JsonObject, at: string): Part {
  const object = readNested(part, 'fileData', at) ?? {}
  const inner = `${at}.fileData`
  const mediaType = readOptionalString(object, 'mimeType', inner)
  const uri = readString(object, 'fileUri', inner)
  const source: MediaSource = storedFile.test(uri)
    ? present({ kind: 'file', fileId: uri, mediaType })
    : present({ kind: 'url', url: uri, mediaType })
  return mediaPart(
    source,
    mediaType ?? '',
    leftovers(part, { key: 'fileData', object, known: fileFields }, at),
  )
}

const mediaKinds: ReadonlyMap<string, 'image' | 'audio' | 'video'> = new Map([
  ['image', 'image'],
  ['audio', 'audio'],
  ['video', 'video'],
])

function mediaPart(source: MediaSource, mediaType: string, native: Native | undefined): Part {
  const type = mediaKinds.get(mediaType.slice(0, mediaType.indexOf('/'))) ?? 'document'
  return present<Part>({ type, source, native })
}

/** Parts of a provider's response: what cannot be read as it seems stays opaque. */
export function readResponsePart(wire: JsonObject, at: string, ids: CallIds): Part {
  try {
    const part = readPart(wire, at, ids)
    return part.type === 'reasoning' && part.native === undefined ? { ...part, native: maker } : part
  } catch {
    return opaque(wire, at)
  }
}

/** Reasoning says who made its proof, so that callers of other dialects can carry it back to its maker. */
export const maker: Native = Object.freeze({ dialect, fields: Object.freeze({}) })
