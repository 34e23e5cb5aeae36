/**
 * Events of a streamed Responses response → canonical events.
 *
 * Output items open and close parts: texts and refusals by their content part, function calls and reasoning by
 * their item. Summary parts of one reasoning item become paragraphs of one reasoning part. Items of built-in tools
 * are opaque parts; their own events ride on empty deltas (`native.event`), for callers of the same dialect.
 * Bounds: 1,024 output items, 1,024 content parts an item.
 */
import type { CanonicalError, CanonicalEvent, Native, Part } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { StreamReader } from '../../dialect.ts'
import { countOr, isJsonArray, stringOr, untaken } from '../../reading.ts'
import { type Emit, type SseHandler, sseStreamReader } from '../../sse-stream-reader.ts'
import { malformedStream } from '../../upstream-error.ts'
import { readStreamError } from '../openai-errors.ts'
import { proofFields } from './read-items.ts'
import { stopReasonOf } from './response.ts'
import { readUsageFigures } from './usage.ts'

const dialect = 'openai-responses'
const maxIndex = 1024

interface PartState {
  readonly number: number
  /** True once a delta came: else the closing event's whole text is used. */
  filled: boolean
  closed: boolean
}

interface ItemState {
  readonly item: JsonObject
  /** Content index → part; calls, reasoning and opaque items use index 0. */
  readonly parts: Map<number, PartState>
  /** Summary parts begun (reasoning). */
  paragraphs: number
  /** The first part of a message carries the item's fields. */
  begun: boolean
}

interface State {
  readonly items: Map<number, ItemState>
  readonly seen: Pick<Part, 'type'>[]
  parts: number
  started: boolean
  finished: boolean
}

interface Place {
  readonly state: State
  readonly emit: Emit
  readonly body: JsonObject
}

type Step = (place: Place) => CanonicalError | true | undefined

const steps: ReadonlyMap<string, Step> = new Map<string, Step>([
  ['response.output_text.delta', readDelta],
  ['response.refusal.delta', readDelta],
  ['response.function_call_arguments.delta', readDelta],
  ['response.reasoning_summary_text.delta', readReasoningDelta],
  ['response.reasoning_text.delta', readReasoningDelta],
  ['response.created', readStart],
  ['response.queued', readStart],
  ['response.in_progress', readStart],
  ['response.output_item.added', readItemAdded],
  ['response.output_item.done', readItemDone],
  ['response.content_part.added', readPartAdded],
  ['response.content_part.done', readPartDone],
  ['response.output_text.done', nothing],
  ['response.refusal.done', nothing],
  ['response.function_call_arguments.done', readArgumentsDone],
  ['response.reasoning_summary_part.added', readParagraph],
  ['response.reasoning_summary_part.done', nothing],
  ['response.reasoning_summary_text.done', nothing],
  ['response.reasoning_text.done', nothing],
  ['response.completed', readEnd],
  ['response.incomplete', readEnd],
  ['response.failed', readFailure],
  ['error', readErrorEvent],
  ['keepalive', nothing],
])

export function streamReader(): StreamReader {
  return sseStreamReader(handler())
}

function handler(): SseHandler {
  const state: State = { items: new Map(), seen: [], parts: 0, started: false, finished: false }
  return {
    read(body, emit, eventName) {
      const type = stringOr(body['type'], eventName)
      const step = steps.get(type) ?? readOther
      return step({ state, emit, body })
    },
    close: () => state.finished,
  }
}

function nothing(): undefined {
  return undefined
}

const responseKeys: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created_at',
  'model',
  'output',
  'usage',
  'status',
])

function readStart(place: Place): undefined {
  const { state, emit, body } = place
  if (state.started) return
  state.started = true
  const response = isJsonObject(body['response']) ? body['response'] : {}
  const fields = untaken(response, responseKeys, { dialect, at: '' })?.fields
  emit({
    type: 'start',
    id: stringOr(response['id'], ''),
    model: stringOr(response['model'], ''),
    created: countOr(response['created_at'], 0),
    ...(fields === undefined ? {} : { native: { dialect, fields } }),
  })
}

function itemOf(place: Place): ItemState | undefined {
  return place.state.items.get(countOr(place.body['output_index'], -1))
}

function readItemAdded(place: Place): CanonicalError | undefined {
  const { state, body } = place
  const index = countOr(body['output_index'], state.items.size)
  const wire = body['item']
  if (!isJsonObject(wire)) return undefined
  if (state.items.size >= maxIndex || state.items.has(index)) return malformedStream()
  const item: ItemState = { item: wire, parts: new Map(), paragraphs: 0, begun: false }
  state.items.set(index, item)
  const type = wire['type']
  if (type === 'message' || type === 'reasoning') return undefined
  if (type === 'function_call') {
    const { type: _, call_id: callId, name, arguments: __, ...rest } = wire
    const native: Native = { dialect, fields: rest }
    open(
      place,
      { item, index: 0 },
      { kind: 'tool-call', callId: stringOr(callId, ''), name: stringOr(name, ''), native },
    )
    return undefined
  }
  open(place, { item, index: 0 }, { kind: 'opaque', native: { dialect, fields: { item: wire } } })
  return undefined
}

type PartStart = Omit<CanonicalEvent & { type: 'part-start' }, 'type' | 'choice' | 'part'>

function open(
  place: Place,
  at: { readonly item: ItemState; readonly index: number },
  start: PartStart,
): PartState {
  const { state, emit } = place
  const part: PartState = { number: state.parts, filled: false, closed: false }
  state.parts += 1
  at.item.parts.set(at.index, part)
  if ((start.kind === 'tool-call' || start.kind === 'refusal') && state.seen.length < maxIndex) {
    state.seen.push({ type: start.kind })
  }
  emit({ type: 'part-start', choice: 0, part: part.number, ...start })
  return part
}

function readPartAdded(place: Place): CanonicalError | undefined {
  const { body } = place
  const item = itemOf(place)
  const wire = body['part']
  if (item === undefined || !isJsonObject(wire)) return malformedStream()
  const type = wire['type']
  if (type === 'reasoning_text') {
    openReasoning(place, item)
    return undefined
  }
  const index = countOr(body['content_index'], item.parts.size)
  if (item.parts.size >= maxIndex || item.parts.has(index)) return malformedStream()
  const { type: _, role: __, content: ___, status: ____, ...rest } = item.item
  const native = item.begun ? {} : { native: { dialect, fields: { item: rest } } as const }
  item.begun = true
  if (type === 'output_text' || type === 'refusal') {
    open(place, { item, index }, { kind: type === 'refusal' ? type : 'text', ...native })
  } else {
    open(place, { item, index }, { kind: 'opaque', native: { dialect, fields: wire } })
  }
  return undefined
}

function readDelta(place: Place): CanonicalError | undefined {
  const { emit, body } = place
  const part = itemOf(place)?.parts.get(countOr(body['content_index'], 0))
  const text = body['delta']
  if (part === undefined || part.closed || typeof text !== 'string') return malformedStream()
  part.filled = true
  const logprobs = body['logprobs']
  emit(
    isJsonArray(logprobs) && logprobs.length > 0
      ? { type: 'delta', choice: 0, part: part.number, text, logprobs: { content: logprobs, refusal: null } }
      : { type: 'delta', choice: 0, part: part.number, text },
  )
  return undefined
}

function openReasoning(place: Place, item: ItemState): PartState {
  const { type: _, summary: __, content: ___, encrypted_content: ____, ...rest } = item.item
  return (
    item.parts.get(0) ??
    open(place, { item, index: 0 }, { kind: 'reasoning', native: { dialect, fields: { item: rest } } })
  )
}

const paragraph: Native = Object.freeze({ dialect, fields: Object.freeze({ paragraph: true }) })

function readParagraph(place: Place): CanonicalError | undefined {
  const item = itemOf(place)
  if (item === undefined) return malformedStream()
  const part = openReasoning(place, item)
  item.paragraphs += 1
  if (item.paragraphs > 1) {
    place.emit({ type: 'delta', choice: 0, part: part.number, text: '\n\n', native: paragraph })
  }
  return undefined
}

function readReasoningDelta(place: Place): CanonicalError | undefined {
  const item = itemOf(place)
  const text = place.body['delta']
  if (item === undefined || typeof text !== 'string') return malformedStream()
  const part = openReasoning(place, item)
  part.filled = true
  place.emit({ type: 'delta', choice: 0, part: part.number, text })
  return undefined
}

/** Text of servers that send no deltas comes with the closing event. */
function fill(place: Place, part: PartState, text: JsonValue | undefined): void {
  if (part.filled || typeof text !== 'string' || text === '') return
  part.filled = true
  place.emit({ type: 'delta', choice: 0, part: part.number, text })
}

function readArgumentsDone(place: Place): undefined {
  const part = itemOf(place)?.parts.get(0)
  if (part !== undefined) fill(place, part, place.body['arguments'])
}

type PartEnd = Omit<CanonicalEvent & { type: 'part-end' }, 'type' | 'choice' | 'part'>

function close(place: Place, part: PartState, end: PartEnd = {}): void {
  if (part.closed) return
  part.closed = true
  place.emit({ type: 'part-end', choice: 0, part: part.number, ...end })
}

function readPartDone(place: Place): undefined {
  const part = itemOf(place)?.parts.get(countOr(place.body['content_index'], 0))
  const wire = place.body['part']
  if (part === undefined || !isJsonObject(wire) || wire['type'] === 'reasoning_text') return
  fill(place, part, wire['text'] ?? wire['refusal'])
  const annotations = wire['annotations']
  const rest = isJsonArray(annotations) && annotations.length > 0 ? { annotations } : undefined
  close(place, part, rest === undefined ? {} : { native: { dialect, fields: rest } })
}

function readItemDone(place: Place): CanonicalError | undefined {
  const item = itemOf(place)
  const wire = place.body['item']
  if (item === undefined || !isJsonObject(wire)) return malformedStream()
  const type = wire['type']
  if (type === 'reasoning') {
    const part = openReasoning(place, item)
    const proof = wire['encrypted_content']
    const native: Native = { dialect, fields: { item: wire } }
    close(place, part, { ...(typeof proof === 'string' ? proofFields(proof) : {}), native })
    return undefined
  }
  for (const part of item.parts.values()) {
    if (type === 'function_call') fill(place, part, wire['arguments'])
    const isOpaque = type !== 'function_call' && type !== 'message'
    close(place, part, isOpaque ? { native: { dialect, fields: { item: wire } } } : {})
  }
  return undefined
}

/** An event of a built-in tool, or one that is not known yet. */
function readOther(place: Place): undefined {
  const { emit, body } = place
  const part = itemOf(place)?.parts.get(countOr(body['content_index'], 0))
  if (part === undefined || part.closed) return
  emit({
    type: 'delta',
    choice: 0,
    part: part.number,
    text: '',
    native: { dialect, fields: { event: body } },
  })
}

const endKeys: ReadonlySet<string> = new Set(['id', 'object', 'created_at', 'model', 'output', 'usage'])

function readEnd(place: Place): true {
  const { state, emit, body } = place
  if (!state.started) readStart(place)
  const response = isJsonObject(body['response']) ? body['response'] : {}
  for (const item of state.items.values()) for (const part of item.parts.values()) close(place, part)
  state.finished = true
  const fields = untaken(response, endKeys, { dialect, at: '' })?.fields
  const stopReason = stopReasonOf(response, state.seen)
  emit({
    type: 'finish',
    choice: 0,
    stopReason,
    ...(fields === undefined ? {} : { native: { dialect, fields } }),
  })
  const usage = readUsageFigures(response['usage'])
  if (usage !== undefined && isJsonObject(response['usage'])) {
    emit({ type: 'usage', usage, native: { dialect, fields: { usage: response['usage'] } } })
  }
  return true
}

function readFailure(place: Place): CanonicalError {
  const { response } = place.body
  return readStreamError(isJsonObject(response) ? (response['error'] ?? {}) : {})
}

/** Flat in the documentation, nested under `error` on the wire of some servers. */
function readErrorEvent(place: Place): CanonicalError {
  const { error } = place.body
  if (isJsonObject(error)) return readStreamError(error)
  const { type: _, ...flat } = place.body
  return readStreamError(flat)
}
