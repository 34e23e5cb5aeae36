/**
 * Gemini event stream (`alt=sse`) → canonical events. Each event is a whole response with the next pieces of
 * text; neighbouring pieces of the same kind are one part. Bounds: one event (`sse.ts`); `maxCandidates` open
 * candidates.
 */
import type { CanonicalEvent, Native, Part } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { StreamReader } from '../../dialect.ts'
import { countOr, objectsIn, present, stringOr, untaken } from '../../reading.ts'
import { type Emit, sseStreamReader } from '../../sse-stream-reader.ts'
import { type CallIds, callIds, responsePrefix } from './call-ids.ts'
import { readError } from './errors.ts'
import { losesFinishReason, readFinishReason } from './finish-reason.ts'
import { fromLogprobs } from './logprobs.ts'
import { maker, readResponsePart } from './part-reader.ts'
import { isBlocked, readTime } from './response.ts'
import { fromUsage } from './usage.ts'

const dialect = 'gemini'

/** The API gives at most 8 candidates. */
const maxCandidates = 64

interface Candidate {
  readonly index: number
  parts: number
  /** The text or reasoning part that is open. */
  open: 'text' | 'reasoning' | undefined
  signature: string | undefined
  called: boolean
  finished: boolean
  logprobs: JsonValue | undefined
  /** Fields beside the content, the latest of each. */
  fields: Record<string, JsonValue | undefined>
}

interface State {
  ids: CallIds | undefined
  readonly candidates: Map<number, Candidate>
  usage: JsonObject | undefined
  blocked: boolean
}

export function streamReader(): StreamReader {
  const state: State = { ids: undefined, candidates: new Map(), usage: undefined, blocked: false }
  return sseStreamReader({
    read(body, emit) {
      if (isJsonObject(body['error'])) return readError(0, body)
      const ids = state.ids ?? start(body, state, emit)
      for (const wire of objectsIn(body['candidates'])) readCandidate(wire, state, { ids, emit })
      if (isBlocked(body) && state.candidates.size === 0 && !state.blocked) {
        state.blocked = true
        emit({ type: 'finish', choice: 0, stopReason: 'content-filter' })
      }
      const usage = body['usageMetadata']
      if (isJsonObject(usage)) state.usage = usage
      return undefined
    },
    close: (emit) => close(state, emit),
  })
}

const chunkFields: ReadonlySet<string> = new Set([
  'candidates',
  'usageMetadata',
  'modelVersion',
  'responseId',
])

function start(body: JsonObject, state: State, emit: Emit): CallIds {
  const id = stringOr(body['responseId'], '')
  state.ids = callIds(responsePrefix(id))
  emit(
    present<CanonicalEvent & { type: 'start' }>({
      type: 'start',
      id,
      model: stringOr(body['modelVersion'], ''),
      created: readTime(body['createTime']),
      native: untaken(body, chunkFields, { dialect, at: '' }),
    }),
  )
  return state.ids
}

interface Sink {
  readonly ids: CallIds
  readonly emit: Emit
}

const candidateFields: ReadonlySet<string> = new Set(['index', 'content', 'finishReason'])

function readCandidate(wire: JsonObject, state: State, { ids, emit }: Sink): void {
  const candidate = candidateAt(state, countOr(wire['index'], 0))
  if (candidate === undefined || candidate.finished) return
  const content = wire['content']
  if (isJsonObject(content)) {
    for (const part of objectsIn(content['parts'])) readPiece(part, candidate, { ids, emit })
  }
  for (const key in wire) if (!candidateFields.has(key)) candidate.fields[key] = wire[key]
  const logprobs = wire['logprobsResult']
  if (isJsonObject(logprobs)) candidate.logprobs = fromLogprobs(logprobs)
  const reason = wire['finishReason']
  if (typeof reason === 'string' && reason !== 'FINISH_REASON_UNSPECIFIED') finish(candidate, reason, emit)
}

function candidateAt(state: State, index: number): Candidate | undefined {
  const known = state.candidates.get(index)
  if (known !== undefined || state.candidates.size >= maxCandidates) return known
  const candidate: Candidate = {
    index,
    parts: 0,
    open: undefined,
    signature: undefined,
    called: false,
    finished: false,
    logprobs: undefined,
    fields: Object.create(null) as Candidate['fields'],
  }
  state.candidates.set(index, candidate)
  return candidate
}

/** Text and thoughts of nothing but these fields stream as pieces of one part. */
const pieceFields: ReadonlySet<string> = new Set(['text', 'thought', 'thoughtSignature'])

function readPiece(wire: JsonObject, candidate: Candidate, { ids, emit }: Sink): void {
  const text = wire['text']
  if (typeof text === 'string' && onlyPieceFields(wire)) {
    const signature = stringOr(wire['thoughtSignature'], undefined)
    readText(candidate, { kind: wire['thought'] === true ? 'reasoning' : 'text', text, signature }, emit)
    return
  }
  closePart(candidate, emit)
  const part = readResponsePart(wire, '', ids)
  if (part.type === 'tool-call') {
    candidate.called = true
    emitCall(candidate, part, emit)
  } else emitOpaque(candidate, wire, emit)
}

function onlyPieceFields(wire: JsonObject): boolean {
  for (const key in wire) if (!pieceFields.has(key)) return false
  return true
}

interface Piece {
  readonly kind: 'text' | 'reasoning'
  readonly text: string
  readonly signature: string | undefined
}

function readText(candidate: Candidate, piece: Piece, emit: Emit): void {
  if (candidate.open !== piece.kind) {
    // An empty piece without a signature says nothing: vendors put one beside the finish reason.
    if (piece.text === '' && piece.signature === undefined) return
    closePart(candidate, emit)
    candidate.open = piece.kind
    const start = { type: 'part-start', choice: candidate.index, part: candidate.parts } as const
    if (piece.kind === 'text') emit({ ...start, kind: 'text' })
    else emit({ ...start, kind: 'reasoning', native: maker })
  }
  if (piece.text !== '') {
    emit({ type: 'delta', choice: candidate.index, part: candidate.parts, text: piece.text })
  }
  if (piece.signature !== undefined) {
    // A signature belongs to the piece it came with: the part ends there.
    candidate.signature = piece.signature
    closePart(candidate, emit)
  }
}

function closePart(candidate: Candidate, emit: Emit): void {
  const { open, signature } = candidate
  if (open === undefined) return
  candidate.open = undefined
  candidate.signature = undefined
  const native: Native | undefined =
    signature === undefined || open === 'reasoning'
      ? undefined
      : { dialect, fields: { thoughtSignature: signature } }
  emit(
    present<CanonicalEvent & { type: 'part-end' }>({
      type: 'part-end',
      choice: candidate.index,
      part: candidate.parts,
      signature: open === 'reasoning' ? signature : undefined,
      native,
    }),
  )
  candidate.parts += 1
}

function emitCall(candidate: Candidate, call: Part & { type: 'tool-call' }, emit: Emit): void {
  const place = { choice: candidate.index, part: candidate.parts } as const
  candidate.parts += 1
  emit(
    present<CanonicalEvent & { type: 'part-start' }>({
      type: 'part-start',
      ...place,
      kind: 'tool-call',
      callId: call.id,
      name: call.name,
      native: call.native,
    }),
  )
  emit({ type: 'delta', ...place, text: call.arguments })
  emit({ type: 'part-end', ...place })
}

function emitOpaque(candidate: Candidate, wire: JsonObject, emit: Emit): void {
  const place = { choice: candidate.index, part: candidate.parts } as const
  candidate.parts += 1
  emit({ type: 'part-start', ...place, kind: 'opaque', native: { dialect, fields: wire } })
  emit({ type: 'part-end', ...place })
}

function finish(candidate: Candidate, reason: string, emit: Emit): void {
  closePart(candidate, emit)
  candidate.finished = true
  const { fields } = candidate
  if (losesFinishReason(reason)) fields['finishReason'] = reason
  emit(
    present<CanonicalEvent & { type: 'finish' }>({
      type: 'finish',
      choice: candidate.index,
      stopReason: readFinishReason(reason, candidate.called),
      native: Object.keys(fields).length === 0 ? undefined : { dialect, fields },
    }),
  )
}

/** The stream has no last word of its own: it is whole when every candidate has finished. */
function close(state: State, emit: Emit): boolean {
  let whole = state.blocked || state.candidates.size > 0
  for (const candidate of state.candidates.values()) whole &&= candidate.finished
  if (whole && state.usage !== undefined) {
    emit({ type: 'usage', usage: fromUsage(state.usage), native: { dialect, fields: state.usage } })
  }
  return whole
}
