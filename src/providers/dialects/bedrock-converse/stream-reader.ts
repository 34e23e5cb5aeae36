/**
 * ConverseStream (binary event stream) → canonical events. Text and reasoning begin with their first delta, calls
 * with `contentBlockStart`. Bounds: one message (`event-stream.ts`), `maxBlocks` open blocks, `maxKept` citations
 * or foreign deltas a block.
 */
import type { CanonicalError, CanonicalEvent, Native } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import { type EventStreamMessage, eventStreamDecoder } from '../../aws/event-stream.ts'
import type { StreamReader } from '../../dialect.ts'
import { countOr, parseJson, present, stringOr, untaken } from '../../reading.ts'
import { brokenStream, malformedStream } from '../../upstream-error.ts'
import { maker } from './content-reader.ts'
import { readException } from './errors.ts'
import { losesStopReason, readStopReason } from './stop-reason.ts'
import { fromUsage } from './usage.ts'

const dialect = 'bedrock-converse'
const maxBlocks = 1024
const maxKept = 10_000

type Emit = (event: CanonicalEvent) => void
type Kind = 'text' | 'reasoning' | 'tool-call' | 'opaque'

interface Block {
  readonly kind: Kind
  readonly part: number
  hasText: boolean
  signature: string | undefined
  encrypted: string | undefined
  /** Citations of a text, or the deltas of a block that only this dialect understands. */
  kept: JsonValue[] | undefined
}

interface State {
  readonly blocks: Map<number, Block>
  parts: number
  stopped: boolean
  ended: boolean
}

export function streamReader(): StreamReader {
  const decoder = eventStreamDecoder()
  const state: State = { blocks: new Map(), parts: 0, stopped: false, ended: false }
  function fail(error: CanonicalError, emit: Emit): void {
    if (state.ended) return
    state.ended = true
    emit({ type: 'error', error })
    emit({ type: 'end' })
  }
  return {
    push(chunk, emit) {
      if (state.ended) return
      try {
        decoder.push(chunk, (message) => {
          const error = state.ended ? undefined : readMessage(message, state, emit)
          if (error !== undefined) fail(error, emit)
        })
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        fail(malformedStream(), emit)
      }
    },
    finish(emit) {
      if (!state.stopped || decoder.pendingBytes > 0) fail(brokenStream(), emit)
      if (!state.ended) emit({ type: 'end' })
      state.ended = true
    },
  }
}

function readMessage(message: EventStreamMessage, state: State, emit: Emit): CanonicalError | undefined {
  const { headers, payload } = message
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
  const type = headers.get(':message-type')
  if (type === 'error') {
    return readException('internalServerException', {
      message: stringOr(asText(headers.get(':error-message')), ''),
    })
  }
  const body = text === '' ? {} : parseJson(text)
  if (!isJsonObject(body)) return malformedStream()
  if (type === 'exception') return readException(asText(headers.get(':exception-type')) ?? '', body)
  handlers.get(asText(headers.get(':event-type')) ?? '')?.(body, state, emit)
  return undefined
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

type Handler = (body: JsonObject, state: State, emit: Emit) => void

const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['messageStart', onMessageStart],
  ['contentBlockStart', onBlockStart],
  ['contentBlockDelta', onBlockDelta],
  ['contentBlockStop', onBlockStop],
  ['messageStop', onMessageStop],
  ['metadata', onMetadata],
])

function onMessageStart(_body: JsonObject, _state: State, emit: Emit): void {
  emit({ type: 'start', id: '', model: '', created: 0 })
}

interface Opening {
  readonly index: number
  readonly kind: Kind
  readonly callId?: string | undefined
  readonly name?: string | undefined
  readonly native?: Native | undefined
}

function open(state: State, { index, ...opening }: Opening, emit: Emit): Block {
  if (state.blocks.size >= maxBlocks)
    throw new Fault(faults.upstreamMalformed, { internal: 'too many open blocks' })
  const part = state.parts
  state.parts += 1
  const block: Block = {
    kind: opening.kind,
    part,
    hasText: false,
    signature: undefined,
    encrypted: undefined,
    kept: undefined,
  }
  state.blocks.set(index, block)
  emit(present<CanonicalEvent & { type: 'part-start' }>({ type: 'part-start', choice: 0, part, ...opening }))
  return block
}

const callFields: ReadonlySet<string> = new Set(['toolUseId', 'name'])

function onBlockStart(body: JsonObject, state: State, emit: Emit): void {
  const index = countOr(body['contentBlockIndex'], 0)
  const start = isJsonObject(body['start']) ? body['start'] : {}
  const call = start['toolUse']
  if (isJsonObject(call)) {
    const opening: Opening = {
      index,
      kind: 'tool-call',
      callId: stringOr(call['toolUseId'], ''),
      name: stringOr(call['name'], ''),
      native: untaken(call, callFields, { dialect, at: '' }),
    }
    open(state, opening, emit)
  } else if (Object.keys(start).length > 0) {
    open(state, { index, kind: 'opaque', native: { dialect, fields: start } }, emit)
  }
}

function onBlockDelta(body: JsonObject, state: State, emit: Emit): void {
  const { delta } = body
  if (!isJsonObject(delta)) return
  const index = countOr(body['contentBlockIndex'], 0)
  const block = state.blocks.get(index) ?? open(state, openingOf(index, delta), emit)
  if (block.kind === 'opaque') keep(block, delta)
  else if (block.kind === 'reasoning') onReasoning(block, delta['reasoningContent'], emit)
  else {
    const call = delta['toolUse']
    const text = delta['text'] ?? (isJsonObject(call) ? call['input'] : undefined)
    if (typeof text === 'string') emitText(block, text, emit)
    else if (delta['citation'] !== undefined) keep(block, delta['citation'])
  }
}

function openingOf(index: number, delta: JsonObject): Opening {
  const kind = kindOf(delta)
  return kind === 'reasoning' ? { index, kind, native: maker } : { index, kind }
}

function kindOf(delta: JsonObject): Kind {
  if (delta['text'] !== undefined || delta['citation'] !== undefined) return 'text'
  if (delta['reasoningContent'] !== undefined) return 'reasoning'
  return delta['toolUse'] === undefined ? 'opaque' : 'tool-call'
}

function onReasoning(block: Block, content: JsonValue | undefined, emit: Emit): void {
  if (!isJsonObject(content)) return
  const { text, signature, redactedContent } = content
  if (typeof text === 'string') emitText(block, text, emit)
  if (typeof signature === 'string') block.signature = signature
  if (typeof redactedContent === 'string') block.encrypted = redactedContent
}

function keep(block: Block, value: JsonValue): void {
  block.kept ??= []
  if (block.kept.length >= maxKept)
    throw new Fault(faults.upstreamMalformed, { internal: 'too many deltas kept' })
  block.kept.push(value)
}

function emitText(block: Block, text: string, emit: Emit): void {
  if (text === '') return
  block.hasText = true
  emit({ type: 'delta', choice: 0, part: block.part, text })
}

function onBlockStop(body: JsonObject, state: State, emit: Emit): void {
  close(state, countOr(body['contentBlockIndex'], 0), emit)
}

function close(state: State, index: number, emit: Emit): void {
  const block = state.blocks.get(index)
  if (block === undefined) return
  state.blocks.delete(index)
  // A call without arguments streams no text at all; JSON readers downstream need an object.
  if (block.kind === 'tool-call' && !block.hasText) emitText(block, '{}', emit)
  const key = block.kind === 'opaque' ? 'deltas' : 'citations'
  emit(
    present<CanonicalEvent & { type: 'part-end' }>({
      type: 'part-end',
      choice: 0,
      part: block.part,
      signature: block.signature,
      encrypted: block.encrypted,
      native: block.kept === undefined ? undefined : { dialect, fields: { [key]: block.kept } },
    }),
  )
}

const stopFields: ReadonlySet<string> = new Set(['stopReason', 'p'])

function onMessageStop(body: JsonObject, state: State, emit: Emit): void {
  for (const index of [...state.blocks.keys()]) close(state, index, emit)
  if (state.stopped) return
  state.stopped = true
  const { stopReason } = body
  const rest = untaken(body, stopFields, { dialect, at: '' })?.fields
  const fields = losesStopReason(stopReason) ? { ...rest, stopReason } : rest
  emit(
    present<CanonicalEvent & { type: 'finish' }>({
      type: 'finish',
      choice: 0,
      stopReason: readStopReason(stopReason),
      native: fields === undefined ? undefined : { dialect, fields },
    }),
  )
}

function onMetadata(body: JsonObject, _state: State, emit: Emit): void {
  const { usage } = body
  const { p: _padding, ...fields } = body
  if (isJsonObject(usage)) emit({ type: 'usage', usage: fromUsage(usage), native: { dialect, fields } })
}
