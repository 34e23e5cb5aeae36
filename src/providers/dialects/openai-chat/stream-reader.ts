/**
 * Chunks of a streamed chat completion → canonical events.
 *
 * Parts of a choice are opened as their first delta comes and closed when another begins. Tool calls are told
 * apart by `index`; a delta for a call that was closed already is refused as malformed. Usage may come with any
 * chunk (some vendors repeat it on each): the last one counts and is emitted before the end. What a delta holds
 * beside the known fields passes as an `opaque` part of its own.
 * Bounds: 128 choices, 1,024 tool calls a choice.
 */
import type { CanonicalError, CanonicalEvent, Native, Part } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { StreamReader } from '../../dialect.ts'
import { countOr, isJsonArray, objectsIn, stringOr, unknownFields } from '../../reading.ts'
import { type Emit, type SseHandler, sseStreamReader } from '../../sse-stream-reader.ts'
import { malformedStream } from '../../upstream-error.ts'
import { readStreamError } from '../openai-errors.ts'
import { finishReasonOf, stopReasonOf } from './response.ts'
import { readUsageFigures } from './usage.ts'

const dialect = 'openai-chat'
const maxChoices = 128
const maxCalls = 1024

type EventOf<Type extends CanonicalEvent['type']> = CanonicalEvent & { type: Type }
type Kind = EventOf<'part-start'>['kind']

interface ChoiceState {
  readonly index: number
  /** Number of parts begun. */
  parts: number
  /** The open part: its number, or -1. */
  open: number
  openKind: Kind
  /** Upstream tool index → part number. */
  readonly calls: Map<number, number>
  /** Kinds seen, as far as the stop reason depends on them. */
  readonly seen: Pick<Part, 'type' | 'native'>[]
  finished: boolean
}

const chunkKeys: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'obfuscation',
])
const choiceKeys: ReadonlySet<string> = new Set(['index', 'delta', 'finish_reason', 'logprobs'])
const deltaKeys: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'tool_calls',
  'function_call',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
])

export function streamReader(): StreamReader {
  return sseStreamReader(chunkHandler())
}

function chunkHandler(): SseHandler {
  const choices = new Map<number, ChoiceState>()
  let started = false
  let usage: JsonObject | undefined

  function start(body: JsonObject, emit: Emit): void {
    started = true
    const fields = unknownFields(body, chunkKeys)
    emit({
      type: 'start',
      id: stringOr(body['id'], ''),
      model: stringOr(body['model'], ''),
      created: countOr(body['created'], 0),
      ...(fields === undefined ? {} : { native: { dialect, fields } }),
    })
  }

  function read(body: JsonObject, emit: Emit, eventName: string): CanonicalError | undefined {
    if (eventName === 'error') return readStreamError(body['error'] ?? body)
    if (body['error'] !== undefined && body['error'] !== null) return readStreamError(body['error'])
    if (!started) start(body, emit)
    if (isJsonObject(body['usage'])) usage = body['usage']
    const list = body['choices']
    if (!isJsonArray(list)) return undefined
    for (let position = 0; position < list.length; position += 1) {
      const wire = list[position]
      if (!isJsonObject(wire)) continue
      const index = countOr(wire['index'], position)
      let state = choices.get(index)
      if (state === undefined) {
        if (choices.size >= maxChoices) return malformedStream()
        state = { index, parts: 0, open: -1, openKind: 'text', calls: new Map(), seen: [], finished: false }
        choices.set(index, state)
      }
      if (!readChoice(wire, state, emit)) return malformedStream()
    }
    return undefined
  }

  function close(emit: Emit): boolean {
    const complete = started && choices.values().every((choice) => choice.finished)
    const figures = usage === undefined ? undefined : readUsageFigures(usage)
    if (usage !== undefined && figures !== undefined) {
      emit({ type: 'usage', usage: figures, native: { dialect, fields: { usage } } })
    }
    return complete
  }

  return { read, close }
}

function readChoice(wire: JsonObject, state: ChoiceState, emit: Emit): boolean {
  const delta = wire['delta']
  const finish = wire['finish_reason']
  const isLast = finish !== undefined && finish !== null
  const rest = unknownFields(wire, choiceKeys)
  const place: DeltaPlace = {
    state,
    emit,
    logprobs: wire['logprobs'],
    extra: isLast ? undefined : rest,
  }
  if (isJsonObject(delta)) {
    const unknown = unknownFields(delta, deltaKeys)
    if (unknown !== undefined) place.extra = { ...place.extra, delta: unknown }
    if (!readDelta(delta, place)) return false
  }
  if (place.extra !== undefined) {
    openPart(state, { kind: 'opaque', native: { dialect, fields: place.extra } }, emit)
    closePart(state, emit)
  }
  if (!isLast || state.finished) return true
  closePart(state, emit)
  state.finished = true
  const stopReason = stopReasonOf(finish, state.seen)
  const same = finish === finishReasonOf(stopReason, state.seen)
  const fields = same ? rest : { ...rest, finish_reason: finish }
  const native = fields === undefined ? {} : { native: { dialect, fields } as const }
  emit({ type: 'finish', choice: state.index, stopReason, ...native })
  return true
}

interface DeltaPlace {
  readonly state: ChoiceState
  readonly emit: Emit
  readonly logprobs: JsonValue | undefined
  /** Unknown fields of the chunk; taken by the first delta, else a part of their own. */
  extra: JsonObject | undefined
}

const reasoningMarker: Native = Object.freeze({ dialect, fields: Object.freeze({ reasoning: true }) })
const functionMarker: Native = Object.freeze({ dialect, fields: Object.freeze({ function_call: true }) })

function readDelta(delta: JsonObject, place: DeltaPlace): boolean {
  const { state, emit } = place
  const { content, refusal, reasoning_content: reasoning, reasoning: otherReasoning } = delta
  if (typeof reasoning === 'string' && reasoning !== '') appendText('reasoning', reasoning, place)
  else if (typeof otherReasoning === 'string' && otherReasoning !== '') {
    if (state.open === -1 || state.openKind !== 'reasoning') {
      openPart(state, { kind: 'reasoning', native: reasoningMarker }, emit)
    }
    appendText('reasoning', otherReasoning, place)
  } else readReasoningDetails(delta['reasoning_details'], place)
  readProofs(delta['reasoning_details'], place)
  if (typeof content === 'string' && content !== '') appendText('text', content, place)
  if (typeof refusal === 'string' && refusal !== '') appendText('refusal', refusal, place)
  if (isJsonArray(delta['tool_calls'])) {
    for (const call of delta['tool_calls']) {
      if (isJsonObject(call) && !readCallDelta(call, state, emit)) return false
    }
  }
  const legacy = delta['function_call']
  return !isJsonObject(legacy) || readCallDelta({ function: legacy }, state, emit)
}

/** Reasoning text that comes in details only. */
function readReasoningDetails(details: JsonValue | undefined, place: DeltaPlace): void {
  for (const detail of objectsIn(details)) {
    const text = stringOr(detail['text'], stringOr(detail['summary'], ''))
    if (text !== '') appendText('reasoning', text, place)
  }
}

/** A signature or encrypted reasoning ends its part. */
function readProofs(details: JsonValue | undefined, place: DeltaPlace): void {
  const { state, emit } = place
  for (const detail of objectsIn(details)) {
    const { signature, data } = detail
    if (typeof signature !== 'string' && typeof data !== 'string') continue
    if (state.open === -1 || state.openKind !== 'reasoning') openPart(state, { kind: 'reasoning' }, emit)
    const proof = typeof data === 'string' ? { encrypted: data } : { signature: signature as string }
    emit({ type: 'part-end', choice: state.index, part: state.open, ...proof })
    state.open = -1
  }
}

function appendText(kind: 'text' | 'reasoning' | 'refusal', text: string, place: DeltaPlace): void {
  const { state, emit, logprobs } = place
  if (state.open === -1 || state.openKind !== kind) openPart(state, { kind }, emit)
  const event: EventOf<'delta'> = { type: 'delta', choice: state.index, part: state.open, text }
  const { extra } = place
  place.extra = undefined
  if (extra === undefined && (logprobs === undefined || logprobs === null)) emit(event)
  else {
    const native = extra === undefined ? {} : { native: { dialect, fields: extra } as const }
    emit({ ...event, ...(logprobs === undefined || logprobs === null ? {} : { logprobs }), ...native })
  }
}

/** A call without an index is the legacy `function_call` (or a vendor that sends one call only). */
function readCallDelta(wire: JsonObject, state: ChoiceState, emit: Emit): boolean {
  const index = countOr(wire['index'], 0)
  const isCustom = isJsonObject(wire['custom'])
  const inner = isJsonObject(wire['function'])
    ? wire['function']
    : isCustom
      ? (wire['custom'] as JsonObject)
      : {}
  let part = state.calls.get(index)
  if (part === undefined) {
    if (state.calls.size >= maxCalls) return false
    part = openCall(wire, { state, emit, inner, isCustom })
    state.calls.set(index, part)
  } else if (part !== state.open) return false
  const text = isCustom ? inner['input'] : inner['arguments']
  if (typeof text === 'string' && text !== '') emit({ type: 'delta', choice: state.index, part, text })
  return true
}

interface CallPlace {
  readonly state: ChoiceState
  readonly emit: Emit
  readonly inner: JsonObject
  readonly isCustom: boolean
}

function openCall(wire: JsonObject, place: CallPlace): number {
  const { state, emit, inner, isCustom } = place
  const name = stringOr(inner['name'], '')
  if (isCustom) {
    const fields = { id: stringOr(wire['id'], ''), type: 'custom', custom: { name, input: '' } }
    return openPart(state, { kind: 'opaque', native: { dialect, fields } }, emit)
  }
  const isLegacy = wire['index'] === undefined && wire['id'] === undefined
  const callId = stringOr(wire['id'], `call_${state.index}_${state.parts}`)
  return openPart(
    state,
    { kind: 'tool-call', callId, name, ...(isLegacy ? { native: functionMarker } : {}) },
    emit,
  )
}

type PartStart = Omit<EventOf<'part-start'>, 'type' | 'choice' | 'part'>

const noted: ReadonlySet<Kind> = new Set(['tool-call', 'refusal'])

function openPart(state: ChoiceState, start: PartStart, emit: Emit): number {
  closePart(state, emit)
  state.open = state.parts
  state.parts += 1
  state.openKind = start.kind
  if (noted.has(start.kind) && state.seen.length < maxCalls) {
    const type = start.kind === 'refusal' ? 'refusal' : 'tool-call'
    state.seen.push(start.native === undefined ? { type } : { type, native: start.native })
  }
  emit({ type: 'part-start', choice: state.index, part: state.open, ...start })
  return state.open
}

function closePart(state: ChoiceState, emit: Emit): void {
  if (state.open === -1) return
  emit({ type: 'part-end', choice: state.index, part: state.open })
  state.open = -1
}
