/**
 * Canonical events → Anthropic event stream, in the order that the official SDK demands:
 *
 *   message_start (content_block_start content_block_delta* content_block_stop)* message_delta message_stop
 *
 * Blocks never interleave on this wire. Where the source interleaves parts (parallel tool calls), the first stays
 * open and the others wait, whole, until it ends: at most `maxWaitingLength` characters together; past that the
 * stream ends with an error. Only the first choice is carried.
 */
import type { CanonicalEvent, Native } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import { faults } from '../../../faults/catalogue.ts'
import type { StreamWriter, WriteResponseContext } from '../../dialect.ts'
import { dropResponsePart, nativeResponseFields } from '../../native.ts'
import { sseEvent } from '../../sse.ts'
import { writeStreamError } from './errors.ts'
import { writeStopReason } from './stop-reason.ts'
import { restoreUsage, toUsage } from './usage.ts'

const dialect = 'anthropic-messages'

/** Characters that may wait for an open block to end. */
export const maxWaitingLength = 8 * 1024 * 1024

type PartStart = CanonicalEvent & { readonly type: 'part-start' }
type PartEnd = CanonicalEvent & { readonly type: 'part-end' }

/** A part that has begun: on the wire when it is the first of `parts`, else waiting with its text. */
interface OpenPart {
  readonly start: PartStart
  /** The start is on the wire. Reasoning waits until its first text, for it may turn out to be hidden. */
  begun: boolean
  waiting: string
  end: PartEnd | undefined
}

interface State {
  readonly ctx: WriteResponseContext
  readonly parts: OpenPart[]
  waitingLength: number
  nextIndex: number
  pinged: boolean
  finish: (CanonicalEvent & { readonly type: 'finish' }) | undefined
  usage: TokenUsage | undefined
  usageNative: Native | undefined
  over: boolean
}

export function streamWriter(ctx: WriteResponseContext): StreamWriter {
  const state: State = {
    ctx,
    parts: [],
    waitingLength: 0,
    nextIndex: 0,
    pinged: false,
    finish: undefined,
    usage: undefined,
    usageNative: undefined,
    over: false,
  }
  return {
    contentType: 'text/event-stream; charset=utf-8',
    write: (event) => (state.over ? '' : write(event, state)),
  }
}

function write(event: CanonicalEvent, state: State): string {
  if ('choice' in event && event.choice !== 0) return otherChoice(event, state)
  switch (event.type) {
    case 'start':
      state.usage = event.usage
      return messageStart(event, state)
    case 'part-start':
      return partStart(event, state)
    case 'delta':
      return partDelta(event, state)
    case 'part-end':
      return partEnd(event, state)
    case 'finish':
      state.finish = event
      return closeAll(state)
    case 'usage':
      state.usage = event.usage
      state.usageNative = event.native
      return ''
    case 'error':
      state.over = true
      return writeStreamError(event.error)
    case 'end':
      state.over = true
      return closeAll(state) + messageEnd(state)
  }
}

function otherChoice(event: CanonicalEvent, state: State): string {
  if (event.type === 'finish') {
    state.ctx.downgrade({ field: 'choices', reason: 'this API carries one answer; the first was taken' })
  }
  return ''
}

function messageStart(event: CanonicalEvent & { readonly type: 'start' }, state: State): string {
  const { usage: ownUsage, ...own } = nativeResponseFields(event.native, dialect)
  const message: Record<string, JsonValue | undefined> = {
    id: event.id,
    type: 'message',
    role: 'assistant',
    model: state.ctx.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...own,
    usage:
      event.usage === undefined ? { input_tokens: 0, output_tokens: 0 } : restoreUsage(event.usage, ownUsage),
  }
  return sseEvent(JSON.stringify({ type: 'message_start', message }), 'message_start')
}

function partStart(event: PartStart, state: State): string {
  if (event.kind === 'opaque' && event.native?.dialect !== dialect) {
    if (event.native !== undefined)
      dropResponsePart({ type: 'opaque', native: event.native }, { dialect, ...state.ctx })
    return ''
  }
  const part: OpenPart = { start: event, begun: false, waiting: '', end: undefined }
  state.parts.push(part)
  return state.parts.length > 1 || event.kind === 'reasoning' ? '' : begin(part, state)
}

/** Puts `content_block_start` on the wire; a ping follows the first one, as the API itself does. */
function begin(part: OpenPart, state: State): string {
  part.begun = true
  const out = blockStart(startBlock(part.start), state)
  if (state.pinged) return out
  state.pinged = true
  return out + ping
}

const ping = sseEvent('{"type":"ping"}', 'ping')

function blockStart(block: JsonObject, state: State): string {
  const data = { type: 'content_block_start', index: state.nextIndex, content_block: block }
  return sseEvent(JSON.stringify(data), 'content_block_start')
}

function startBlock(start: PartStart): JsonObject {
  const own = nativeResponseFields(start.native, dialect)
  switch (start.kind) {
    case 'text':
    case 'refusal':
      return { type: 'text', text: '', ...own }
    case 'reasoning':
      return { type: 'thinking', thinking: '', signature: '', ...own }
    case 'tool-call':
      return {
        type: 'tool_use',
        id: start.callId ?? `call_${start.part}`,
        name: start.name ?? '',
        input: {},
        ...own,
      }
    case 'opaque':
      return own
  }
}

function find(state: State, part: number): OpenPart | undefined {
  for (const open of state.parts) if (open.start.part === part) return open
  return undefined
}

function partDelta(event: CanonicalEvent & { readonly type: 'delta' }, state: State): string {
  const part = find(state, event.part)
  if (part === undefined || event.text === '') return ''
  if (part === state.parts[0]) {
    return part.begun ? delta(part, event.text, state) : begin(part, state) + delta(part, event.text, state)
  }
  part.waiting += event.text
  state.waitingLength += event.text.length
  return state.waitingLength > maxWaitingLength ? overflow(state) : ''
}

function overflow(state: State): string {
  state.over = true
  state.parts.length = 0
  const { kind, status, code } = faults.upstreamTooLarge
  return writeStreamError({ kind, status, code, message: 'The parallel parts of the answer are too large.' })
}

/** Built by hand: this is the hot path, and only the text needs escaping. */
function delta(part: OpenPart, text: string, state: State): string {
  const head = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${state.nextIndex},"delta":{`
  const json = JSON.stringify(text)
  switch (part.start.kind) {
    case 'text':
    case 'refusal':
      return `${head}"type":"text_delta","text":${json}}}\n\n`
    case 'reasoning':
      return `${head}"type":"thinking_delta","thinking":${json}}}\n\n`
    case 'tool-call':
    case 'opaque':
      return `${head}"type":"input_json_delta","partial_json":${json}}}\n\n`
  }
}

function partEnd(event: PartEnd, state: State): string {
  const part = find(state, event.part)
  if (part === undefined) return ''
  part.end = event
  if (part !== state.parts[0]) return ''
  let out = close(part, state)
  for (let next = state.parts[0]; next !== undefined; next = state.parts[0]) {
    out += replay(next, state)
    if (next.end === undefined) break
    out += close(next, state)
  }
  return out
}

/** A part that waited becomes the open block. */
function replay(part: OpenPart, state: State): string {
  if (part.start.kind === 'reasoning' && part.waiting === '') return ''
  const text = part.waiting
  part.waiting = ''
  state.waitingLength -= text.length
  return begin(part, state) + (text === '' ? '' : delta(part, text, state))
}

/** Ends the open block, with what is told only at its end: citations, signature, hidden reasoning. */
function close(part: OpenPart, state: State): string {
  state.parts.shift()
  const { encrypted, signature } = part.end ?? {}
  let out = ''
  if (!part.begun && encrypted === undefined) out = begin(part, state)
  if (part.begun) {
    out += citations(part.end?.native, state)
    if (signature !== undefined) out += blockDelta({ type: 'signature_delta', signature }, state)
    out += blockStop(state)
  }
  if (encrypted !== undefined) {
    const own = nativeResponseFields(part.start.native, dialect)
    out += blockStart({ ...own, type: 'redacted_thinking', data: encrypted }, state) + blockStop(state)
  }
  return out
}

function citations(native: Native | undefined, state: State): string {
  const list = nativeResponseFields(native, dialect)['citations']
  if (!Array.isArray(list)) return ''
  return list.map((citation: JsonValue) => blockDelta({ type: 'citations_delta', citation }, state)).join('')
}

function blockDelta(wire: JsonObject, state: State): string {
  const data = { type: 'content_block_delta', index: state.nextIndex, delta: wire }
  return sseEvent(JSON.stringify(data), 'content_block_delta')
}

function blockStop(state: State): string {
  const data = `{"type":"content_block_stop","index":${state.nextIndex}}`
  state.nextIndex += 1
  return sseEvent(data, 'content_block_stop')
}

/** Parts that the source left open end with the message. */
function closeAll(state: State): string {
  let out = ''
  for (let part = state.parts[0]; part !== undefined; part = state.parts[0]) {
    if (!part.begun) out += replay(part, state)
    out += close(part, state)
  }
  return out
}

function messageEnd(state: State): string {
  const { finish, usage, usageNative } = state
  const own = nativeResponseFields(finish?.native, dialect)
  const delta = {
    ...own,
    stop_reason: finish === undefined ? 'end_turn' : writeStopReason(finish.stopReason, finish.native),
    stop_sequence: finish?.stopSequence ?? null,
  }
  const figures =
    usageNative?.dialect === dialect
      ? usageNative.fields
      : usage === undefined
        ? { output_tokens: 0 }
        : toUsage(usage)
  const data = JSON.stringify({ type: 'message_delta', delta, usage: figures })
  return sseEvent(data, 'message_delta') + sseEvent('{"type":"message_stop"}', 'message_stop')
}
