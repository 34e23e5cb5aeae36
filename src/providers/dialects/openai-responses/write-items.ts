/**
 * Canonical parts → items of the Responses API: the input of a request (`writeInput`) and the output of a response
 * (`writeOutput`).
 */
import type { CanonicalRequest, Message, Native, Part, ReasoningPart } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { callerPart } from '../../caller-fields.ts'
import { mediaUrl } from '../../data-url.ts'
import { cannotExpress, dropResponsePart, type NativeTarget, nativeFields } from '../../native.ts'
import { foreignProof, proofsFor, tagProof } from '../../reasoning-proof.ts'
import { reasoningText, signatureMark } from './read-items.ts'

const dialect = 'openai-responses'

export interface InputTarget extends NativeTarget {
  readonly request: CanonicalRequest
}

/** All messages but those that are written as `instructions`. */
export function writeInput(
  messages: readonly Message[],
  skip: Message | undefined,
  target: InputTarget,
): JsonObject[] {
  const items: JsonObject[] = []
  messages.forEach((message, index) => {
    if (message === skip) return
    const own = nativeFields(message.native, 'message', target)
    const rest: Part[] = []
    for (const [at, part] of message.parts.entries()) {
      if (part.type === 'tool-result')
        items.push(writeToolResult(part, target, callerPart(target.request, index, at)))
      else rest.push(part)
    }
    if (rest.length === 0 && message.parts.length > 0) return
    const field = callerPart(target.request, index)
    if (message.role === 'assistant') {
      if (message.name !== undefined) target.downgrade({ field: `${field}.name`, reason: noNames })
      for (const item of writeTurn(rest, target, field)) items.push(item)
    } else {
      items.push(...writeCallerMessage(message, rest, { own, target, field }))
    }
  })
  return items
}

const noNames = 'the Responses API has no participant names'

function writeToolResult(
  part: Part & { type: 'tool-result' },
  target: InputTarget,
  field: string,
): JsonObject {
  const own = nativeFields(part.native, 'part', target)
  if (part.isError === true) {
    target.downgrade({ field: `${field}.is_error`, reason: 'a failed tool call is told by its text only' })
  }
  const output = writeContent(part.content, { target, field, textType: 'input_text' })
  return { type: 'function_call_output', ...own, call_id: part.callId, output: output ?? '' }
}

interface MessagePlace {
  readonly own: JsonObject
  readonly target: InputTarget
  readonly field: string
}

function writeCallerMessage(message: Message, parts: readonly Part[], place: MessagePlace): JsonObject[] {
  const { own, target, field } = place
  if (message.name !== undefined) target.downgrade({ field: `${field}.name`, reason: noNames })
  const [only] = parts
  if (parts.length === 1 && only !== undefined) {
    const item = ownItem(only)
    if (item !== undefined && only.type === 'opaque') return [item]
  }
  const content = writeContent(parts, { target, field, textType: 'input_text' })
  const role = message.role === 'tool' ? 'user' : message.role
  return [
    {
      type: 'message',
      role,
      ...own,
      ...(own['content'] === null && content === undefined ? {} : { content: content ?? '' }),
    },
  ]
}

/** The item that an opaque part of this dialect holds. */
function ownItem(part: Part): JsonObject | undefined {
  if (part.native?.dialect !== dialect) return undefined
  const item = part.native.fields['item']
  return isJsonObject(item) ? item : undefined
}

/** An assistant turn of the input. Reasoning of other providers stays out: this API takes only its own. */
function writeTurn(parts: readonly Part[], target: InputTarget, field: string): readonly JsonObject[] {
  const caller = target.request.dialect
  const kept = parts.filter((part) => part.type !== 'reasoning' || isOwnReasoning(part, caller))
  if (kept.length !== parts.length) target.downgrade({ field, reason: foreignProof })
  const items: JsonObject[] = []
  for (const group of groupMessages(kept)) {
    const [first] = group
    if (first === undefined) continue
    if (first.type === 'text' || first.type === 'refusal') items.push(writeTurnMessage(group, target, field))
    else items.push(writeItem(first, { target, field }))
  }
  return items
}

function isOwnReasoning(part: ReasoningPart, caller: CanonicalRequest['dialect']): boolean {
  if (caller !== dialect) return false
  return part.signature === undefined && part.encrypted === proofsFor(part, caller, dialect).encrypted
}

/** Texts and refusals that belong to one message item stand together; every other part stands alone. */
export function groupMessages(parts: readonly Part[]): readonly (readonly Part[])[] {
  const groups: Part[][] = []
  let open: Part[] | undefined
  for (const part of parts) {
    const isContent = part.type === 'text' || part.type === 'refusal'
    if (isContent && open !== undefined && ownItem(part) === undefined) open.push(part)
    else {
      const group = [part]
      groups.push(group)
      open = isContent ? group : undefined
    }
  }
  return groups
}

/** A turn that was an output item before keeps its array form; a plain text is a string. */
function writeTurnMessage(group: readonly Part[], target: InputTarget, field: string): JsonObject {
  const [first] = group
  const item = first === undefined ? undefined : ownItem(first)
  const content = writeContent(group, { target, field, textType: 'output_text' })
  const rest: JsonObject = item ?? {}
  const isOutput = typeof rest['id'] === 'string' && typeof content === 'string'
  return {
    type: 'message',
    role: 'assistant',
    ...rest,
    content: isOutput ? [{ type: 'output_text', text: content, annotations: [] }] : (content ?? ''),
  }
}

/** Ids and status for items that another provider made. */
export interface ItemMaker {
  readonly id: (prefix: string) => string
  readonly status: 'completed' | 'incomplete'
}

interface PartPlace {
  readonly target: NativeTarget
  readonly field: string
  /** Absent in the input of a request, which needs neither. */
  readonly made?: ItemMaker
}

function writeItem(part: Part, place: PartPlace): JsonObject {
  const { target, field } = place
  if (part.type === 'reasoning') return writeReasoning(part, place)
  if (part.type === 'tool-call') {
    const own = nativeFields(part.native, 'part', target)
    const made = place.made === undefined ? {} : { id: place.made.id('fc'), status: 'completed' }
    return {
      ...made,
      ...own,
      type: 'function_call',
      call_id: part.id,
      name: part.name,
      arguments: part.arguments,
    }
  }
  const item = ownItem(part)
  if (item !== undefined) return item
  throw cannotExpress(part.native?.at ?? field, dialect, 'it is particular to another API')
}

function writeReasoning(part: ReasoningPart, place: PartPlace): JsonObject {
  nativeFields(part.native, 'part', place.target)
  const item = ownItem(part)
  if (item !== undefined && reasoningText(item) === part.text) return item
  if (item !== undefined) {
    const { content: _, ...rest } = item
    return { ...rest, type: 'reasoning', summary: summaryOf(part.text) }
  }
  const made = place.made === undefined ? {} : { id: place.made.id('rs') }
  return { ...made, type: 'reasoning', summary: summaryOf(part.text), ...encryptedContent(part, part.native) }
}

function summaryOf(text: string): JsonValue[] {
  return text === '' ? [] : [{ type: 'summary_text', text }]
}

/** Another provider's signature or encrypted reasoning as `encrypted_content`, tagged with its maker. */
export function encryptedContent(
  proof: { readonly signature?: string; readonly encrypted?: string },
  native: Native | undefined,
): JsonObject {
  const { signature, encrypted } = proof
  if (encrypted !== undefined) return { encrypted_content: tagProof(encrypted, native, dialect) }
  if (signature === undefined || signature === '') return {}
  return { encrypted_content: signatureMark + tagProof(signature, native, dialect) }
}

/** The output of a response: what the dialect cannot carry is dropped and reported. */
export function writeOutput(parts: readonly Part[], target: NativeTarget, made: ItemMaker): JsonObject[] {
  const kept = parts.filter((part) => carries(part, target))
  const items: JsonObject[] = []
  for (const group of groupMessages(kept)) {
    const [first] = group
    if (first === undefined) continue
    if (first.type === 'text' || first.type === 'refusal') {
      const content = group.map((part) =>
        writePart(part, { target, field: 'output', textType: 'output_text' }),
      )
      const item = ownItem(first) ?? { id: made.id('msg'), status: made.status }
      items.push({ type: 'message', role: 'assistant', ...item, content })
    } else items.push(writeItem(first, { target, field: 'output', made }))
  }
  return items
}

function carries(part: Part, target: NativeTarget): boolean {
  switch (part.type) {
    case 'text':
    case 'refusal':
    case 'reasoning':
    case 'tool-call':
      return true
    case 'opaque':
      if (part.native.dialect === dialect) return true
      break
    case 'image':
    case 'audio':
    case 'video':
    case 'document':
    case 'tool-result':
      break
  }
  dropResponsePart(part, target)
  return false
}

interface ContentPlace {
  readonly target: NativeTarget
  readonly field: string
  readonly textType: 'input_text' | 'output_text'
}

/** One plain text as a string, several parts as an array, nothing as undefined. */
function writeContent(parts: readonly Part[], place: ContentPlace): JsonValue | undefined {
  const [first] = parts
  if (first === undefined) return undefined
  if (parts.length === 1 && first.type === 'text' && isPlain(first.native, place.target)) return first.text
  return parts.map((part) => writePart(part, place))
}

/** Nothing to write beside the text. */
function isPlain(native: Native | undefined, target: NativeTarget): boolean {
  const own = nativeFields(native, 'part', target)
  for (const key in own) if (key !== 'item') return false
  return true
}

function writePart(part: Part, place: ContentPlace): JsonObject {
  const { target, field } = place
  const { item: _, ...own } = part.type === 'opaque' ? {} : nativeFields(part.native, 'part', target)
  switch (part.type) {
    case 'text':
      return place.textType === 'input_text'
        ? { ...own, type: 'input_text', text: part.text }
        : { annotations: [], ...own, type: 'output_text', text: part.text }
    case 'refusal':
      return { ...own, type: 'refusal', refusal: part.text }
    case 'image': {
      const detail = part.detail ?? (isOwnRequest(target) ? undefined : 'auto')
      const source =
        part.source.kind === 'file' ? { file_id: part.source.fileId } : { image_url: mediaUrl(part.source) }
      return { ...own, type: 'input_image', ...(detail === undefined ? {} : { detail }), ...source }
    }
    case 'document':
      return { ...own, type: 'input_file', ...writeFile(part, target) }
    case 'audio': {
      if (part.source.kind !== 'base64') throw cannotExpress(field, dialect, 'audio is given as data')
      const subtype = part.source.mediaType.slice(part.source.mediaType.indexOf('/') + 1)
      const format = subtype === 'mpeg' ? 'mp3' : subtype
      return { ...own, type: 'input_audio', input_audio: { data: part.source.data, format } }
    }
    case 'opaque':
      if (part.native.dialect === dialect && ownItem(part) === undefined) return part.native.fields
      throw cannotExpress(part.native.at ?? field, dialect, 'it is particular to another API')
    case 'video':
    case 'reasoning':
    case 'tool-call':
    case 'tool-result':
      throw cannotExpress(field, dialect, `a ${part.type} cannot stand there`)
  }
}

function isOwnRequest(target: NativeTarget): boolean {
  return 'request' in target && (target as InputTarget).request.dialect === dialect
}

function writeFile(part: Part & { type: 'document' }, target: NativeTarget): JsonObject {
  const { source, name } = part
  const named = name === undefined ? {} : { filename: name }
  if (source.kind === 'file') return { file_id: source.fileId, ...named }
  if (source.kind === 'url') return { file_url: source.url, ...named }
  const filename = name === undefined && !isOwnRequest(target) ? { filename: 'document' } : named
  return { file_data: mediaUrl(source), ...filename }
}
