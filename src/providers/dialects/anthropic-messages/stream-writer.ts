/**
 * Canonical events → Anthropic event stream, in the order that the official SDK demands:
 *
 *   message_start (content_block_start content_block_delta* content_block_stop)* message_delta message_stop
 *
 * Blocks never interleave on this wire: `serial-blocks.ts` puts parts that do one after the other, and past its
 * bound the stream ends with an error. Only the first choice is carried.
 */
import type { CanonicalError, CanonicalEvent, Native } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import type { StreamWriter, WriteResponseContext } from '../../dialect.ts'
import { dropResponsePart, nativeResponseFields } from '../../native.ts'
import { isJsonArray } from '../../reading.ts'
import { tagProof } from '../../reasoning-proof.ts'
import { type PartStart, type SerialBlocks, type SerialPart, serialBlocks } from '../../serial-blocks.ts'
import { sseEvent } from '../../sse.ts'
import { tooMuchWaits } from '../../upstream-error.ts'
import { writeStreamError } from './errors.ts'
import { writeStopReason } from './stop-reason.ts'
import { restoreUsage, toUsage } from './usage.ts'

const dialect = 'anthropic-messages'

interface State {
  readonly ctx: WriteResponseContext
  /** What this event puts on the wire. */
  out: string
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
    out: '',
    nextIndex: 0,
    pinged: false,
    finish: undefined,
    usage: undefined,
    usageNative: undefined,
    over: false,
  }
  const blocks = serialBlocks({
    begin: (part) => beginBlock(part, state),
    delta: (part, text) => {
      state.out += delta(part.start, text, state.nextIndex)
    },
    close: (part) => closeBlock(part, state),
  })
  return {
    contentType: 'text/event-stream; charset=utf-8',
    write(event) {
      if (state.over) return ''
      state.out = ''
      write(event, state, blocks)
      return state.out
    },
  }
}

function write(event: CanonicalEvent, state: State, blocks: SerialBlocks): void {
  if ('choice' in event && event.choice !== 0) {
    if (event.type === 'finish') state.ctx.downgrade(oneChoice)
    return
  }
  switch (event.type) {
    case 'start':
      state.usage = event.usage
      state.out = messageStart(event, state)
      return
    case 'part-start':
      if (isWritable(event, state)) blocks.start(event)
      return
    case 'delta':
      if (!blocks.delta(event)) endWith(tooMuchWaits, state)
      return
    case 'part-end':
      blocks.end(event)
      return
    case 'finish':
      state.finish = event
      blocks.closeAll()
      return
    case 'usage':
      state.usage = event.usage
      state.usageNative = event.native
      return
    case 'error':
      endWith(event.error, state)
      return
    case 'end':
      state.over = true
      blocks.closeAll()
      state.out += messageEnd(state)
  }
}

const oneChoice = { field: 'choices', reason: 'this API carries one answer; the first was taken' }

function endWith(error: CanonicalError, state: State): void {
  state.over = true
  state.out += writeStreamError(error)
}

function messageStart(event: CanonicalEvent & { readonly type: 'start' }, state: State): string {
  const { usage: ownUsage, ...own } = nativeResponseFields(event.native, dialect)
  const message: Record<string, JsonValue | undefined> = {
    id: event.id || (state.ctx.id ?? ''),
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

function isWritable(event: PartStart, state: State): boolean {
  if (event.kind !== 'opaque' || event.native?.dialect === dialect) return true
  if (event.native !== undefined)
    dropResponsePart({ type: 'opaque', native: event.native }, { dialect, ...state.ctx })
  return false
}

/** Puts `content_block_start` on the wire; a ping follows the first one, as the API itself does. */
function beginBlock(part: SerialPart, state: State): void {
  state.out += blockStart(startBlock(part.start), state)
  if (!state.pinged) state.out += ping
  state.pinged = true
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

/** Built by hand: this is the hot path, and only the text needs escaping. */
function delta(start: PartStart, text: string, index: number): string {
  const head = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{`
  const json = JSON.stringify(text)
  switch (start.kind) {
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

/** Ends the open block, with what is told only at its end: citations, signature, hidden reasoning. */
function closeBlock(part: SerialPart, state: State): void {
  const { native } = part.start
  const signature = tagProof(part.end?.signature, native, dialect)
  const data = tagProof(part.end?.encrypted, native, dialect)
  if (!part.begun && data === undefined) {
    part.begun = true
    beginBlock(part, state)
  }
  if (part.begun) {
    state.out += citations(part.end?.native, state)
    if (signature !== undefined) state.out += blockDelta({ type: 'signature_delta', signature }, state)
    state.out += blockStop(state)
  }
  if (data !== undefined) {
    const own = nativeResponseFields(native, dialect)
    state.out += blockStart({ ...own, type: 'redacted_thinking', data }, state) + blockStop(state)
  }
}

function citations(native: Native | undefined, state: State): string {
  const list = nativeResponseFields(native, dialect)['citations']
  if (!isJsonArray(list)) return ''
  return list.map((citation) => blockDelta({ type: 'citations_delta', citation }, state)).join('')
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
