/**
 * Anthropic event stream → canonical events. Blocks come one after the other, so one block's state is enough.
 * Bounds: one event as `sse.ts` bounds it; `maxCitations` citations a block.
 */
import type { CanonicalEvent, Native } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { noUsage, type TokenUsage } from '../../../domain/usage.ts'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import type { StreamReader } from '../../dialect.ts'
import { present, stringOr, untaken } from '../../reading.ts'
import { type Emit, sseStreamReader } from '../../sse-stream-reader.ts'
import { maker } from './content-reader.ts'
import { readError } from './errors.ts'
import { losesStopReason, readStopReason } from './stop-reason.ts'
import { fromUsage } from './usage.ts'

const dialect = 'anthropic-messages'

/** Citations kept for one block; a real answer has a few dozen. */
const maxCitations = 10_000

type Kind = 'text' | 'reasoning' | 'tool-call' | 'opaque'

interface Block {
  readonly kind: Kind
  readonly part: number
  /** Arguments given whole with the start of the block. */
  readonly input: JsonValue | undefined
  hasText: boolean
  signature: string | undefined
  encrypted: string | undefined
  citations: JsonValue[] | undefined
}

interface State {
  block: Block | undefined
  parts: number
  usage: TokenUsage
  complete: boolean
}

export function streamReader(): StreamReader {
  const state: State = { block: undefined, parts: 0, usage: noUsage, complete: false }
  return sseStreamReader({
    read(data, emit) {
      const type = data['type']
      if (type === 'error') return readError(0, data)
      handlers.get(type)?.(data, state, emit)
      if (type === 'message_stop') state.complete = true
      return state.complete ? true : undefined
    },
    close: () => state.complete,
  })
}

type Handler = (data: JsonObject, state: State, emit: Emit) => void

const handlers: ReadonlyMap<JsonValue | undefined, Handler> = new Map<JsonValue | undefined, Handler>([
  ['message_start', onMessageStart],
  ['content_block_start', onBlockStart],
  ['content_block_delta', onBlockDelta],
  ['content_block_stop', onBlockStop],
  ['message_delta', onMessageDelta],
])

const messageFields: ReadonlySet<string> = new Set(['id', 'type', 'role', 'model', 'content'])

function onMessageStart(data: JsonObject, state: State, emit: Emit): void {
  const message = isJsonObject(data['message']) ? data['message'] : {}
  const usage = message['usage']
  if (isJsonObject(usage)) state.usage = fromUsage(usage)
  emit(
    present<CanonicalEvent & { type: 'start' }>({
      type: 'start',
      id: stringOr(message['id'], ''),
      model: stringOr(message['model'], ''),
      created: 0,
      usage: isJsonObject(usage) ? state.usage : undefined,
      native: untaken(message, messageFields, { dialect, at: '' }),
    }),
  )
}

const kinds: ReadonlyMap<JsonValue | undefined, Kind> = new Map<JsonValue | undefined, Kind>([
  ['text', 'text'],
  ['thinking', 'reasoning'],
  ['redacted_thinking', 'reasoning'],
  ['tool_use', 'tool-call'],
])

const startFields: Readonly<Record<Kind, ReadonlySet<string>>> = {
  text: new Set(['type', 'text']),
  reasoning: new Set(['type', 'thinking', 'signature', 'data']),
  'tool-call': new Set(['type', 'id', 'name', 'input']),
  opaque: new Set(),
}

function onBlockStart(data: JsonObject, state: State, emit: Emit): void {
  if (state.block !== undefined) onBlockStop(data, state, emit)
  const wire = isJsonObject(data['content_block']) ? data['content_block'] : {}
  const kind = kinds.get(wire['type']) ?? 'opaque'
  const part = state.parts
  state.parts += 1
  const block: Block = {
    kind,
    part,
    input: wire['input'],
    hasText: false,
    signature: nonEmpty(wire['signature']),
    encrypted: kind === 'reasoning' ? stringOr(wire['data'], undefined) : undefined,
    citations: undefined,
  }
  state.block = block
  emit(
    present<CanonicalEvent & { type: 'part-start' }>({
      type: 'part-start',
      choice: 0,
      part,
      kind,
      callId: kind === 'tool-call' ? stringOr(wire['id'], '') : undefined,
      name: kind === 'tool-call' ? stringOr(wire['name'], '') : undefined,
      native: startNative(wire, kind),
    }),
  )
  const text = kind === 'text' ? wire['text'] : kind === 'reasoning' ? wire['thinking'] : ''
  if (typeof text === 'string' && text !== '') emitDelta(block, text, emit)
}

/** Hidden reasoning says so at the start: its writer must choose the block's type before it has the data. */
function startNative(wire: JsonObject, kind: Kind): Native | undefined {
  if (wire['type'] === 'redacted_thinking') return { dialect, fields: wire }
  const rest = untaken(wire, startFields[kind], { dialect, at: '' })
  return rest === undefined && kind === 'reasoning' ? maker : rest
}

function nonEmpty(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function emitDelta(block: Block, text: string, emit: Emit): void {
  block.hasText = true
  emit({ type: 'delta', choice: 0, part: block.part, text })
}

function onBlockDelta(data: JsonObject, state: State, emit: Emit): void {
  const { block } = state
  const delta = data['delta']
  if (block === undefined || !isJsonObject(delta)) return
  const text = delta['text'] ?? delta['partial_json'] ?? delta['thinking']
  if (typeof text === 'string') {
    if (text !== '') emitDelta(block, text, emit)
    return
  }
  const signature = delta['signature']
  if (typeof signature === 'string') block.signature = signature
  const citation = delta['citation']
  if (citation !== undefined) {
    block.citations ??= []
    if (block.citations.length >= maxCitations)
      throw new Fault(faults.upstreamTooLarge, {
        public: { limit: maxCitations },
        internal: 'citations of one block',
      })
    block.citations.push(citation)
  }
}

function onBlockStop(_data: JsonObject, state: State, emit: Emit): void {
  const { block } = state
  if (block === undefined) return
  state.block = undefined
  // A call without arguments streams no text at all; JSON readers downstream need an object.
  if (block.kind === 'tool-call' && !block.hasText) emitDelta(block, JSON.stringify(block.input ?? {}), emit)
  emit(
    present<CanonicalEvent & { type: 'part-end' }>({
      type: 'part-end',
      choice: 0,
      part: block.part,
      signature: block.signature,
      encrypted: block.encrypted,
      native: block.citations === undefined ? undefined : { dialect, fields: { citations: block.citations } },
    }),
  )
}

const deltaFields: ReadonlySet<string> = new Set(['stop_reason', 'stop_sequence'])

function onMessageDelta(data: JsonObject, state: State, emit: Emit): void {
  if (state.block !== undefined) onBlockStop(data, state, emit)
  const delta = isJsonObject(data['delta']) ? data['delta'] : {}
  const reason = delta['stop_reason']
  if (reason !== undefined && reason !== null) {
    const rest = untaken(delta, deltaFields, { dialect, at: '' })?.fields
    const fields = losesStopReason(reason) ? { ...rest, stop_reason: reason } : rest
    emit(
      present<CanonicalEvent & { type: 'finish' }>({
        type: 'finish',
        choice: 0,
        stopReason: readStopReason(reason),
        stopSequence: stringOr(delta['stop_sequence'], undefined),
        native: fields === undefined ? undefined : { dialect, fields },
      }),
    )
  }
  const usage = data['usage']
  if (!isJsonObject(usage)) return
  state.usage = fromUsage(usage, state.usage)
  emit({ type: 'usage', usage: state.usage, native: { dialect, fields: usage } })
}
