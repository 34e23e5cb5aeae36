/** Gemini generateContent response ↔ canonical. */
import type { CanonicalChoice, CanonicalResponse, Native } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { WriteResponseContext } from '../../dialect.ts'
import { nativeResponseFields } from '../../native.ts'
import { countOr, isJsonArray, objectsIn, present, stringOr, untaken } from '../../reading.ts'
import { withNote } from '../../tool-turns.ts'
import { malformedResponse } from '../../upstream-error.ts'
import { type CallIds, callIds, responsePrefix } from './call-ids.ts'
import { hasCalls, losesFinishReason, readFinishReason, writeFinishReason } from './finish-reason.ts'
import { fromLogprobs, toLogprobs } from './logprobs.ts'
import { readResponsePart } from './part-reader.ts'
import { writeResponsePart } from './part-writer.ts'
import { fromUsage, restoreUsage } from './usage.ts'

const dialect = 'gemini'

const responseFields: ReadonlySet<string> = new Set([
  'candidates',
  'responseId',
  'modelVersion',
  'createTime',
])
const candidateFields: ReadonlySet<string> = new Set(['index', 'content', 'finishReason'])

/** Throws `upstream.malformed` on a body with neither candidates nor the reason for having none. */
export function readResponse(body: JsonObject): CanonicalResponse {
  if (!isJsonArray(body['candidates']) && !isBlocked(body)) throw malformedResponse('candidates')
  const id = stringOr(body['responseId'], '')
  const ids = callIds(responsePrefix(id))
  const candidates = objectsIn(body['candidates']).map((candidate, index) =>
    readCandidate(candidate, index, ids),
  )
  const usage = body['usageMetadata']
  const blocked = isBlocked(body) && candidates.length === 0
  return present<CanonicalResponse>({
    id,
    model: stringOr(body['modelVersion'], ''),
    created: readTime(body['createTime']),
    choices: blocked ? [blockedChoice] : candidates,
    usage: isJsonObject(usage) ? fromUsage(usage) : undefined,
    native: readShape(body),
  })
}

/** Fields of ours that the provider left out or wrote in a form of its own are noted, so that they stay as they were. */
function readShape(body: JsonObject): Native | undefined {
  const note: Record<string, JsonValue | undefined> = {}
  if (!isJsonArray(body['candidates'])) note['candidates'] = null
  if (body['responseId'] === undefined) note['responseId'] = null
  if (body['modelVersion'] === undefined) note['modelVersion'] = null
  if (body['createTime'] !== undefined) note['createTime'] = body['createTime']
  const rest = untaken(body, responseFields, { dialect, at: '' })
  return Object.keys(note).length === 0 ? rest : withNote(rest, note, { dialect, at: '' })
}

/** The prompt itself was refused: no candidates at all. */
export function isBlocked(body: JsonObject): boolean {
  const feedback = body['promptFeedback']
  return isJsonObject(feedback) && typeof feedback['blockReason'] === 'string'
}

const blockedChoice: CanonicalChoice = Object.freeze({ index: 0, parts: [], stopReason: 'content-filter' })

/** RFC 3339 → Unix seconds; 0 where it is absent. */
export function readTime(value: JsonValue | undefined): number {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? 0 : Math.floor(time / 1000)
}

function readCandidate(candidate: JsonObject, position: number, ids: CallIds): CanonicalChoice {
  const content = candidate['content']
  const wireParts = isJsonObject(content) ? content['parts'] : undefined
  const parts = objectsIn(wireParts).map((part, index) =>
    readResponsePart(part, `content.parts[${index}]`, ids),
  )
  const logprobs = candidate['logprobsResult']
  return present<CanonicalChoice>({
    index: countOr(candidate['index'], position),
    parts,
    stopReason: readFinishReason(candidate['finishReason'], hasCalls(parts)),
    logprobs: isJsonObject(logprobs) ? fromLogprobs(logprobs) : undefined,
    native: readCandidateShape(candidate),
  })
}

const contentFields: ReadonlySet<string> = new Set(['parts', 'role'])

function readCandidateShape(candidate: JsonObject): Native | undefined {
  const note: Record<string, JsonValue | undefined> = {}
  const { content, finishReason } = candidate
  if (candidate['index'] === undefined) note['index'] = null
  if (losesFinishReason(finishReason)) note['finishReason'] = finishReason
  if (!isJsonObject(content)) note['content'] = null
  else {
    const rest = untaken(content, contentFields, { dialect, at: '' })?.fields
    const shape = { parts: isJsonArray(content['parts']), role: content['role'] === 'model' }
    if (rest !== undefined || !shape.parts || !shape.role) note['content'] = { ...rest, ...shape }
  }
  const rest = untaken(candidate, candidateFields, { dialect, at: '' })
  return Object.keys(note).length === 0 ? rest : withNote(rest, note, { dialect, at: '' })
}

export function writeResponse(response: CanonicalResponse, ctx: WriteResponseContext): JsonObject {
  const {
    candidates: candidatesNote,
    responseId,
    modelVersion,
    usageMetadata,
    createTime,
    ...own
  } = nativeResponseFields(response.native, dialect)
  const body: Record<string, JsonValue | undefined> = { ...own }
  if (!(candidatesNote === null && response.choices.every((choice) => choice.parts.length === 0))) {
    body['candidates'] = response.choices.map((choice) => writeCandidate(choice, ctx))
  }
  if (response.usage !== undefined) body['usageMetadata'] = restoreUsage(response.usage, usageMetadata)
  if (modelVersion !== null) body['modelVersion'] = ctx.model
  if (createTime !== undefined) body['createTime'] = createTime
  if (responseId !== null) body['responseId'] = response.id || (ctx.id ?? '')
  return body
}

function writeCandidate(choice: CanonicalChoice, ctx: WriteResponseContext): JsonObject {
  const target = { dialect, downgrade: ctx.downgrade, responding: true } as const
  const {
    content,
    index,
    finishReason: _reason,
    logprobsResult,
    ...own
  } = nativeResponseFields(choice.native, dialect)
  const parts = choice.parts
    .map((part) => writeResponsePart(part, target))
    .filter((part) => part !== undefined)
  const candidate: Record<string, JsonValue | undefined> = {}
  if (content !== null || parts.length > 0) candidate['content'] = writeContent(parts, content)
  const reason = writeFinishReason(choice.stopReason, choice.native)
  if (reason !== undefined) candidate['finishReason'] = reason
  if (index !== null) candidate['index'] = choice.index
  const logprobs = logprobsResult ?? toLogprobs(choice.logprobs)
  if (logprobs !== undefined) candidate['logprobsResult'] = logprobs
  return { ...candidate, ...own }
}

function writeContent(parts: readonly JsonObject[], note: JsonValue | undefined): JsonObject {
  if (!isJsonObject(note)) return { parts, role: 'model' }
  const { parts: hadParts, role, ...rest } = note
  return {
    ...(hadParts === true || parts.length > 0 ? { parts } : {}),
    ...(role === true ? { role: 'model' } : {}),
    ...rest,
  }
}
