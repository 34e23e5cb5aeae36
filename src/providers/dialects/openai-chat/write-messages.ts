/**
 * Canonical messages → messages of Chat Completions, for a provider, and the assistant message of a response for a
 * caller (`writeAssistant`).
 */
import type { CanonicalRequest, Message, Native, Part, ToolResultPart } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import { callerPart } from '../../caller-fields.ts'
import { mediaUrl } from '../../data-url.ts'
import { cannotExpress, type NativeTarget, nativeFields } from '../../native.ts'
import { tagProof } from '../../reasoning-proof.ts'

const dialect = 'openai-chat'

export interface MessageTarget extends NativeTarget {
  readonly request: CanonicalRequest
}

type Wire = Record<string, JsonValue | undefined>

export function writeMessages(request: CanonicalRequest, target: MessageTarget): JsonObject[] {
  const out: JsonObject[] = []
  request.messages.forEach((message, index) => {
    const own = nativeFields(message.native, 'message', target)
    const rest: Part[] = []
    message.parts.forEach((part, at) => {
      if (part.type === 'tool-result') out.push(writeToolResult(part, own, { target, path: [index, at] }))
      else rest.push(part)
    })
    if (message.role !== 'tool' && (rest.length > 0 || message.parts.length === 0)) {
      out.push(writeMessage(message, rest, { own, target, index }))
    } else if (rest.length > 0) {
      throw cannotExpress(callerPart(request, index), dialect, 'a tool message holds tool results only')
    }
  })
  return out
}

interface Place {
  readonly target: MessageTarget
  /** Message and part index. */
  readonly path: readonly [number, number]
}

function writeToolResult(part: ToolResultPart, own: JsonObject, place: Place): JsonObject {
  const { target, path } = place
  const native = nativeFields(part.native, 'part', target)
  const field = callerPart(target.request, ...path)
  if (part.isError === true) {
    target.downgrade({ field: `${field}.is_error`, reason: 'a failed tool call is told by its text only' })
  }
  for (const inner of part.content) {
    if (inner.type !== 'text' && inner.native?.dialect !== dialect) {
      throw cannotExpress(field, dialect, 'a tool result holds text only')
    }
  }
  const content = writeContent(part.content, target, field)
  if (own['role'] === 'function') return { ...own, ...native, name: part.name, content: content ?? null }
  return {
    ...own,
    ...native,
    role: 'tool',
    tool_call_id: part.callId,
    ...(part.name === undefined || target.request.dialect !== dialect ? {} : { name: part.name }),
    ...contentField(content, own, ''),
  }
}

interface MessagePlace {
  readonly own: JsonObject
  readonly target: MessageTarget
  readonly index: number
}

function writeMessage(message: Message, parts: readonly Part[], place: MessagePlace): JsonObject {
  const { own, target, index } = place
  const name = message.name === undefined ? {} : { name: message.name }
  const field = callerPart(target.request, index)
  if (message.role === 'assistant') {
    const kept = target.request.dialect === dialect ? parts : withoutReasoning(parts, field, target)
    return { ...writeAssistant(kept, own, { target, field, empty: '' }), ...name }
  }
  const content = contentField(writeContent(parts, target, field), own, '')
  return { role: message.role, ...own, ...name, ...content }
}

function withoutReasoning(parts: readonly Part[], field: string, target: MessageTarget): readonly Part[] {
  const kept = parts.filter((part) => part.type !== 'reasoning')
  if (kept.length !== parts.length) {
    target.downgrade({ field, reason: 'this API takes no reasoning of earlier turns' })
  }
  return kept
}

/** `content` unless the left-over fields say it was null or absent. */
function contentField(content: JsonValue | undefined, own: JsonObject, empty: string | null): JsonObject {
  if (content !== undefined) return { content }
  return Object.hasOwn(own, 'content') ? {} : { content: empty }
}

export interface AssistantPlace {
  readonly target: NativeTarget
  /** Path of the message in the caller's terms. */
  readonly field: string
  /** What `content` is when there is none beside nothing else. */
  readonly empty: string | null
}

/** Reasoning, content, refusal and calls back into one message; `own` are its left-over fields. */
export function writeAssistant(parts: readonly Part[], own: JsonObject, place: AssistantPlace): JsonObject {
  const { target, field } = place
  const content: Part[] = []
  const calls: JsonObject[] = []
  const out: Wire = { role: 'assistant', ...own }
  let reasoning: string | undefined
  const details: JsonObject[] = []
  for (const part of parts) {
    if (part.type === 'reasoning') {
      const native = nativeFields(part.native, 'part', target)
      if (native['reasoning_details'] === true) continue
      if (native['reasoning'] === true) out['reasoning'] = part.text
      else if (part.encrypted === undefined || part.text !== '') reasoning = (reasoning ?? '') + part.text
      const detail = reasoningDetail(part, part.native)
      if (detail !== undefined) details.push(detail)
    } else if (part.type === 'tool-call') {
      const native = nativeFields(part.native, 'part', target)
      const called = { name: part.name, arguments: part.arguments }
      if (native['function_call'] === true) out['function_call'] = called
      else calls.push(writeToolCall(part.id, called, native))
    } else if (part.type === 'refusal' && !isOwn(part.native)) {
      nativeFields(part.native, 'part', target)
      out['refusal'] = part.text
    } else if (part.type === 'opaque' && typeof part.native.fields['id'] === 'string' && isOwn(part.native)) {
      calls.push(part.native.fields)
    } else {
      content.push(part)
    }
  }
  if (reasoning !== undefined) out['reasoning_content'] = reasoning
  if (details.length > 0) out['reasoning_details'] = details
  const text = writeContent(content, target, field)
  if (text !== undefined) out['content'] = text
  else if (!Object.hasOwn(own, 'content') && calls.length === 0) {
    if (out['refusal'] === undefined && out['function_call'] === undefined) out['content'] = place.empty
  }
  if (calls.length > 0) out['tool_calls'] = calls
  return out
}

function isOwn(native: Native | undefined): boolean {
  return native?.dialect === dialect
}

/** OpenRouter's shape, the only one in use for signatures in this dialect; `read-messages.ts` takes it back. */
export function reasoningDetail(
  proof: { readonly signature?: string; readonly encrypted?: string; readonly text?: string },
  native: Native | undefined,
): JsonObject | undefined {
  const { signature, encrypted, text } = proof
  if (encrypted !== undefined)
    return { type: 'reasoning.encrypted', data: tagProof(encrypted, native, dialect) }
  if (signature === undefined || signature === '') return undefined
  const said = text === undefined ? {} : { text }
  return { type: 'reasoning.text', ...said, signature: tagProof(signature, native, dialect) }
}

function writeToolCall(id: string, called: JsonObject, native: JsonObject): JsonObject {
  return { ...native, id, type: 'function', function: { ...innerOf(native, 'function'), ...called } }
}

function innerOf(native: JsonObject, key: string): JsonObject {
  return (native[key] ?? {}) as JsonObject
}

/** One plain text as a string, several parts as an array, nothing as undefined. */
function writeContent(parts: readonly Part[], target: NativeTarget, field: string): JsonValue | undefined {
  const [first] = parts
  if (first === undefined) return undefined
  const wire = parts.map((part) => writePart(part, target, field))
  const [only] = wire
  if (wire.length === 1 && first.type === 'text' && only !== undefined && Object.keys(only).length === 2) {
    return first.text
  }
  return wire
}

function writePart(part: Part, target: NativeTarget, field: string): JsonObject {
  const native = part.type === 'opaque' ? {} : nativeFields(part.native, 'part', target)
  switch (part.type) {
    case 'text':
      return { ...native, type: 'text', text: part.text }
    case 'refusal':
      return { ...native, type: 'refusal', refusal: part.text }
    case 'image': {
      const url = mediaUrl(part.source)
      if (url === undefined) throw cannotExpress(field, dialect, 'an image is given by URL or data')
      const inner = {
        ...innerOf(native, 'image_url'),
        url,
        ...(part.detail === undefined ? {} : { detail: part.detail }),
      }
      return { ...native, type: 'image_url', image_url: inner }
    }
    case 'video': {
      const url = mediaUrl(part.source)
      if (!isOwnRequest(target) || url === undefined) throw cannotExpress(field, dialect, 'it takes no video')
      return { ...native, type: 'video_url', video_url: { ...innerOf(native, 'video_url'), url } }
    }
    case 'audio': {
      if (part.source.kind !== 'base64') throw cannotExpress(field, dialect, 'audio is given as data')
      const inner = {
        ...innerOf(native, 'input_audio'),
        data: part.source.data,
        format: audioFormat(part.source.mediaType),
      }
      return { ...native, type: 'input_audio', input_audio: inner }
    }
    case 'document':
      return {
        ...native,
        type: 'file',
        file: { ...innerOf(native, 'file'), ...writeFile(part, target, field) },
      }
    case 'opaque':
      if (isOwn(part.native)) return part.native.fields
      throw cannotExpress(part.native.at ?? field, dialect, 'it is particular to another API')
    case 'reasoning':
    case 'tool-call':
    case 'tool-result':
      throw cannotExpress(field, dialect, `a ${part.type} cannot stand there`)
  }
}

function isOwnRequest(target: NativeTarget): boolean {
  return 'request' in target && (target as MessageTarget).request.dialect === dialect
}

function writeFile(part: Part & { type: 'document' }, target: NativeTarget, field: string): JsonObject {
  const { source, name } = part
  if (source.kind === 'url') throw cannotExpress(field, dialect, 'a document is given as data or by file id')
  const filename = name ?? (isOwnRequest(target) || source.kind === 'file' ? undefined : 'document')
  const named = filename === undefined ? {} : { filename }
  return source.kind === 'file'
    ? { file_id: source.fileId, ...named }
    : { file_data: mediaUrl(source), ...named }
}

/** `audio/mpeg` is `mp3` here; other types go by their subtype. */
function audioFormat(mediaType: string): string {
  const subtype = mediaType.slice(mediaType.indexOf('/') + 1)
  if (subtype === 'mpeg') return 'mp3'
  return subtype.startsWith('x-') ? subtype.slice(2) : subtype
}
