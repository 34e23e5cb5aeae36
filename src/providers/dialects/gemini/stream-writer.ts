/**
 * Canonical events → Gemini stream: every event of text is a response of its own; the last one carries the finish
 * reasons and the usage. Two framings: server-sent events (`alt=sse`, which the official SDKs ask for) and one
 * JSON array. Function calls are written whole, so their arguments wait: at most `maxWaitingLength` characters.
 */
import type { CanonicalEvent, Native } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import type { StreamWriter, WriteResponseContext } from '../../dialect.ts'
import { dropResponsePart, nativeResponseFields } from '../../native.ts'
import { tagProof } from '../../reasoning-proof.ts'
import { maxWaitingLength } from '../../serial-blocks.ts'
import { sseEvent } from '../../sse.ts'
import { tooMuchWaits } from '../../upstream-error.ts'
import { writeError } from './errors.ts'
import { writeFinishReason } from './finish-reason.ts'
import { writeResponsePart } from './part-writer.ts'
import { restoreUsage } from './usage.ts'

const dialect = 'gemini'

type PartStart = CanonicalEvent & { readonly type: 'part-start' }
type Finish = CanonicalEvent & { readonly type: 'finish' }

interface OpenPart {
  readonly start: PartStart
  args: string
}

/** Puts the JSON text of one response on the wire, and ends the stream. */
interface Framing {
  readonly contentType: string
  chunk(json: string): string
  end(): string
}

interface State {
  readonly ctx: WriteResponseContext
  readonly framing: Framing
  readonly open: OpenPart[]
  readonly finished: Finish[]
  waitingLength: number
  /** JSON text after the candidates: model and response id. */
  tail: string
  usage: TokenUsage | undefined
  usageNative: Native | undefined
  over: boolean
}

/** For `alt=sse`. */
export function streamWriter(ctx: WriteResponseContext): StreamWriter {
  return writerOf(ctx, {
    contentType: 'text/event-stream; charset=utf-8',
    chunk: (json) => sseEvent(json),
    end: () => '',
  })
}

/** For calls without `alt=sse`: one JSON array whose elements arrive one by one. */
export function jsonArrayWriter(ctx: WriteResponseContext): StreamWriter {
  let begun = false
  return writerOf(ctx, {
    contentType: 'application/json; charset=utf-8',
    chunk(json) {
      const lead = begun ? ',\r\n' : '['
      begun = true
      return lead + json
    },
    end: () => (begun ? ']' : '[]'),
  })
}

function writerOf(ctx: WriteResponseContext, framing: Framing): StreamWriter {
  const state: State = {
    ctx,
    framing,
    open: [],
    finished: [],
    waitingLength: 0,
    tail: '}',
    usage: undefined,
    usageNative: undefined,
    over: false,
  }
  return {
    contentType: framing.contentType,
    write: (event) => (state.over ? '' : write(event, state)),
  }
}

function write(event: CanonicalEvent, state: State): string {
  switch (event.type) {
    case 'start':
      state.tail = tailOf(event, state)
      state.usage = event.usage
      return ''
    case 'part-start':
      return partStart(event, state)
    case 'delta':
      return delta(event, state)
    case 'part-end':
      return partEnd(event, state)
    case 'finish':
      state.finished.push(event)
      return ''
    case 'usage':
      state.usage = event.usage
      state.usageNative = event.native
      return ''
    case 'error':
      return fail(writeError(event.error), state)
    case 'end':
      state.over = true
      return lastChunk(state) + state.framing.end()
  }
}

function fail(body: JsonObject, state: State): string {
  state.over = true
  state.open.length = 0
  return state.framing.chunk(JSON.stringify(body)) + state.framing.end()
}

function tailOf(event: CanonicalEvent & { readonly type: 'start' }, state: State): string {
  const own = nativeResponseFields(event.native, dialect)
  const fields = { ...own, modelVersion: state.ctx.model, responseId: event.id || (state.ctx.id ?? '') }
  return `,${JSON.stringify(fields).slice(1)}`
}

function partStart(event: PartStart, state: State): string {
  if (event.kind !== 'opaque') {
    state.open.push({ start: event, args: '' })
    return ''
  }
  if (event.native?.dialect !== dialect) {
    if (event.native !== undefined)
      dropResponsePart({ type: 'opaque', native: event.native }, { dialect, ...state.ctx })
    return ''
  }
  return chunk(event.choice, JSON.stringify(event.native.fields), state)
}

/** One response with one part of one candidate. */
function chunk(choice: number, part: string, state: State): string {
  return state.framing.chunk(
    `{"candidates":[{"content":{"parts":[${part}],"role":"model"},"index":${choice}}]${state.tail}`,
  )
}

function find(state: State, event: { readonly choice: number; readonly part: number }): OpenPart | undefined {
  for (const part of state.open) {
    if (part.start.part === event.part && part.start.choice === event.choice) return part
  }
  return undefined
}

function delta(event: CanonicalEvent & { readonly type: 'delta' }, state: State): string {
  const part = find(state, event)
  if (part === undefined || event.text === '') return ''
  if (part.start.kind === 'tool-call') {
    part.args += event.text
    state.waitingLength += event.text.length
    return state.waitingLength > maxWaitingLength ? fail(writeError(tooMuchWaits), state) : ''
  }
  const text = JSON.stringify(event.text)
  return chunk(
    event.choice,
    part.start.kind === 'reasoning' ? `{"text":${text},"thought":true}` : `{"text":${text}}`,
    state,
  )
}

function partEnd(event: CanonicalEvent & { readonly type: 'part-end' }, state: State): string {
  const part = find(state, event)
  if (part === undefined) return ''
  state.open.splice(state.open.indexOf(part), 1)
  if (part.start.kind === 'tool-call') return call(part, state)
  const signature =
    event.signature === undefined
      ? nativeResponseFields(event.native, dialect)['thoughtSignature']
      : tagProof(event.signature, part.start.native, dialect)
  if (signature === undefined) return ''
  const wire: JsonObject =
    part.start.kind === 'reasoning'
      ? { text: '', thought: true, thoughtSignature: signature }
      : { text: '', thoughtSignature: signature }
  return chunk(event.choice, JSON.stringify(wire), state)
}

function call(part: OpenPart, state: State): string {
  state.waitingLength -= part.args.length
  const { start } = part
  const wire = writeResponsePart(
    {
      type: 'tool-call',
      id: start.callId ?? `call_${start.part}`,
      name: start.name ?? '',
      arguments: part.args,
      ...(start.native === undefined ? {} : { native: start.native }),
    },
    { dialect, downgrade: state.ctx.downgrade, responding: true },
  )
  return wire === undefined ? '' : chunk(start.choice, JSON.stringify(wire), state)
}

/** Calls that the source left open, then the finish reasons and the usage. */
function lastChunk(state: State): string {
  let out = ''
  for (const part of state.open) if (part.start.kind === 'tool-call') out += call(part, state)
  const candidates = state.finished.map(writeFinish)
  const body: Record<string, JsonValue | undefined> = {}
  if (candidates.length > 0) body['candidates'] = candidates
  if (state.usage !== undefined)
    body['usageMetadata'] = restoreUsage(state.usage, ownUsage(state.usageNative))
  const json = JSON.stringify(body).slice(0, -1)
  return out + state.framing.chunk(json === '{' ? `{${state.tail.slice(1)}` : json + state.tail)
}

function ownUsage(native: Native | undefined): JsonObject | undefined {
  return native?.dialect === dialect ? native.fields : undefined
}

/** SDKs take a candidate without parts for an invalid one, so an empty text stands there, as the API does itself. */
function writeFinish(event: Finish): JsonObject {
  const { finishReason: _reason, ...own } = nativeResponseFields(event.native, dialect)
  return {
    content: { parts: [{ text: '' }], role: 'model' },
    finishReason: writeFinishReason(event.stopReason, event.native),
    index: event.choice,
    ...own,
  }
}
