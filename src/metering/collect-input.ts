/**
 * What of a request body a model reads: texts, and counts of what is not text. One walk for all dialects: what counts
 * is decided by the names of members, so that a body need not be read into the canonical form to be estimated. What no
 * row below names counts as text, if it stands where prompts do.
 *
 * Assumes a body within the bounds of `validate` (depth, keys). Looks at each value once; copies no text.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts'

export interface CollectedInput {
  readonly texts: string[]
  /** JSON texts of tools and output schemas. */
  readonly schemas: string[]
  messages: number
  /** Numbers where texts could be: tokens that the caller made. */
  numbers: number
  images: number
  lowImages: number
  audioSeconds: number
  videoSeconds: number
  pages: number
}

/** Members of the body whose elements are messages. */
const messageLists = ['messages', 'contents', 'input']
/** Members of the body that are one more message. */
const singleMessages = [
  'system',
  'systemInstruction',
  'system_instruction',
  'instructions',
  'prompt',
  'suffix',
]
/** Members of the body that are passed on as JSON text. */
const schemaMembers = ['tools', 'functions', 'response_format', 'output_config']

/** Members whose texts are bookkeeping. */
const unread = new Set([
  'type',
  'role',
  'id',
  'call_id',
  'tool_call_id',
  'tool_use_id',
  'signature',
  'thought_signature',
  'thoughtSignature',
  'encrypted_content',
  'cache_control',
  'status',
  'media_type',
  'mime_type',
  'mimeType',
])
/** Members that hold data, which the model sees as JSON text: arguments and results of tools. */
const data = new Set(['input', 'args', 'arguments', 'response', 'output', 'json'])

type MediaKind = 'image' | 'audio' | 'video' | 'document'
/** What the `type` of a part says. */
const mediaByType: ReadonlyMap<unknown, MediaKind> = new Map<unknown, MediaKind>([
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['image', 'image'],
  ['input_audio', 'audio'],
  ['audio', 'audio'],
  ['video_url', 'video'],
  ['video', 'video'],
  ['file', 'document'],
  ['input_file', 'document'],
  ['document', 'document'],
])
/** Gemini's parts have no type. */
const geminiMedia = ['inlineData', 'inline_data', 'fileData', 'file_data']

/** Rules of thumb for what a request does not tell: compressed sound and film, pages with some pictures. */
const bytesPerAudioSecond = 16_000
const bytesPerVideoSecond = 250_000
const bytesPerPage = 50_000
/** For what is only named: so much is assumed. */
const unseen = { audioSeconds: 60, videoSeconds: 60, pages: 10 }
/** Shorter payloads are names or addresses. */
const leastPayloadChars = 1024

/** Collects from a request body of any dialect. */
export function collectInput(body: JsonObject): CollectedInput {
  const into: CollectedInput = {
    texts: [],
    schemas: [],
    messages: 0,
    numbers: 0,
    images: 0,
    lowImages: 0,
    audioSeconds: 0,
    videoSeconds: 0,
    pages: 0,
  }
  for (const name of messageLists) {
    const value = body[name]
    if (value === undefined) continue
    into.messages += Array.isArray(value) ? value.length : 1
    walk(value, into)
  }
  for (const name of singleMessages) {
    const value = body[name]
    if (value === undefined || value === null) continue
    into.messages += 1
    walk(value, into)
  }
  for (const name of schemaMembers) addSchema(body[name], into)
  addSchema(memberOf(body['text'], 'format'), into)
  addSchema(memberOf(body['generationConfig'], 'responseSchema'), into)
  addSchema(memberOf(body['generationConfig'], 'responseJsonSchema'), into)
  return into
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined
}

function addSchema(value: JsonValue | undefined, into: CollectedInput): void {
  if (value !== undefined && value !== null && typeof value === 'object')
    into.schemas.push(JSON.stringify(value))
}

function walk(value: JsonValue | undefined, into: CollectedInput): void {
  if (typeof value === 'string') into.texts.push(value)
  else if (typeof value === 'number') into.numbers += 1
  else if (Array.isArray(value)) for (const element of value) walk(element, into)
  else if (isJsonObject(value)) walkObject(value, into)
}

function walkObject(object: JsonObject, into: CollectedInput): void {
  const media = mediaOf(object)
  if (media !== null) return addMedia(media, object, into)
  for (const name in object) {
    if (unread.has(name)) continue
    const value = object[name]
    if (data.has(name) && isJsonObject(value)) into.texts.push(JSON.stringify(value))
    else walk(value, into)
  }
}

function mediaOf(object: JsonObject): MediaKind | null {
  const kind = mediaByType.get(object['type'])
  if (kind !== undefined) {
    const sourceType = memberOf(object['source'], 'type')
    // Anthropic: a document may be given as text or as parts.
    return sourceType === 'text' || sourceType === 'content' ? null : kind
  }
  for (const name of geminiMedia) {
    const held = object[name]
    if (isJsonObject(held)) return kindOfMediaType(held['mimeType'] ?? held['mime_type'])
  }
  return null
}

function kindOfMediaType(mediaType: JsonValue | undefined): MediaKind {
  const [main] = typeof mediaType === 'string' ? mediaType.split('/', 1) : ['']
  return main === 'image' || main === 'audio' || main === 'video' ? main : 'document'
}

function addMedia(kind: MediaKind, object: JsonObject, into: CollectedInput): void {
  if (kind === 'image') {
    const detail = object['detail'] ?? memberOf(object['image_url'], 'detail')
    if (detail === 'low') into.lowImages += 1
    else into.images += 1
    return
  }
  const chars = longestText(object)
  const bytes = chars < leastPayloadChars ? 0 : (chars * 3) / 4
  if (kind === 'audio') into.audioSeconds += bytes === 0 ? unseen.audioSeconds : bytes / bytesPerAudioSecond
  else if (kind === 'video')
    into.videoSeconds += bytes === 0 ? unseen.videoSeconds : bytes / bytesPerVideoSecond
  else into.pages += bytes === 0 ? unseen.pages : Math.ceil(bytes / bytesPerPage)
}

/** The payload, wherever a dialect has it. */
function longestText(value: JsonValue | undefined): number {
  if (typeof value === 'string') return value.length
  if (!isJsonObject(value)) return 0
  return Object.values(value).reduce<number>((longest, member) => Math.max(longest, longestText(member)), 0)
}
