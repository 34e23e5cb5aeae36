/**
 * A Responses response → canonical (one choice) and back. What the response echoes of its request stays in
 * `native`; for answers of other dialects it is made anew from the caller's request.
 */
import type { CanonicalRequest, CanonicalResponse, Part, StopReason } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import type { WriteResponseContext } from '../../dialect.ts'
import { type NativeTarget, nativeResponseFields } from '../../native.ts'
import { countOr, isJsonArray, objectsIn, stringOr, untaken } from '../../reading.ts'
import { readOutputItem } from './read-items.ts'
import { readUsageFigures, writeUsageFigures } from './usage.ts'
import { type ItemMaker, writeOutput } from './write-items.ts'
import { writeRequest } from './write-request.ts'

const dialect = 'openai-responses'

const known: ReadonlySet<string> = new Set(['id', 'object', 'created_at', 'model', 'output', 'service_tier'])

export function readResponse(body: JsonObject): CanonicalResponse {
  if (!isJsonArray(body['output'])) throw malformed('output')
  const parts = readOutput(objectsIn(body['output']))
  const usage = readUsageFigures(body['usage'])
  const tier = stringOr(body['service_tier'], undefined)
  const native = untaken(body, known, { dialect, at: '' })
  const logprobs = logprobsOf(parts)
  const choice = { index: 0, parts, stopReason: stopReasonOf(body, parts) }
  return {
    id: stringOr(body['id'], ''),
    model: stringOr(body['model'], ''),
    created: countOr(body['created_at'], 0),
    choices: [logprobs === undefined ? choice : { ...choice, logprobs }],
    ...(usage === undefined ? {} : { usage }),
    ...(tier === undefined ? {} : { serviceTier: tier }),
    ...(native === undefined ? {} : { native }),
  }
}

function malformed(what: string): Fault {
  return new Fault(faults.upstreamMalformed, { internal: `${dialect} response: ${what}` })
}

function readOutput(items: readonly JsonObject[]): readonly Part[] {
  const parts: Part[] = []
  try {
    for (const item of items)
      for (const part of readOutputItem(item, 'output', parts.at(-1))) parts.push(part)
  } catch (error) {
    if (error instanceof Fault) throw malformed(error.publicText)
    throw error
  }
  return parts
}

/** Log probabilities of the output texts in the shape of Chat Completions. */
function logprobsOf(parts: readonly Part[]): JsonValue | undefined {
  const all: JsonValue[] = []
  for (const part of parts) {
    const list = part.native?.fields['logprobs']
    if (isJsonArray(list)) for (const entry of list) all.push(entry)
  }
  return all.length === 0 ? undefined : { content: all, refusal: null }
}

export function stopReasonOf(body: JsonObject, parts: readonly Pick<Part, 'type'>[]): StopReason {
  const details = body['incomplete_details']
  const reason = isJsonObject(details) ? details['reason'] : undefined
  if (reason === 'max_output_tokens') return 'length'
  if (reason === 'content_filter') return 'content-filter'
  if (body['status'] === 'failed' || body['status'] === 'cancelled') return 'error'
  if (body['status'] === 'incomplete') return 'pause'
  if (parts.some((part) => part.type === 'tool-call')) return 'tool-calls'
  return parts.some((part) => part.type === 'refusal') ? 'refusal' : 'stop'
}

/** `status`, `incomplete_details` and `error` for a stop reason. */
export function outcomeOf(reason: StopReason): JsonObject {
  if (reason === 'error') {
    const error = { code: 'server_error', message: faults.upstreamError.text }
    return { status: 'failed', incomplete_details: null, error }
  }
  const cut = incompleteReasons.get(reason)
  if (cut === undefined) return { status: 'completed', incomplete_details: null, error: null }
  return { status: 'incomplete', incomplete_details: { reason: cut }, error: null }
}

const incompleteReasons: ReadonlyMap<StopReason, string> = new Map([
  ['length', 'max_output_tokens'],
  ['content-filter', 'content_filter'],
])

/** What a response repeats of its request; clients read their settings back from it. */
const echoed: readonly (readonly [field: string, fallback: JsonValue])[] = [
  ['background', false],
  ['instructions', null],
  ['max_output_tokens', null],
  ['max_tool_calls', null],
  ['metadata', {}],
  ['parallel_tool_calls', true],
  ['previous_response_id', null],
  ['prompt_cache_key', null],
  ['reasoning', { effort: null, summary: null }],
  ['safety_identifier', null],
  ['temperature', 1],
  ['text', { format: { type: 'text' } }],
  ['tool_choice', 'auto'],
  ['tools', []],
  ['top_logprobs', 0],
  ['top_p', 1],
  ['truncation', 'disabled'],
  ['user', null],
]

/** Nothing is ever stored on behalf of another dialect. */
export function echoOf(request: CanonicalRequest): JsonObject {
  const leading = { ...request, messages: request.messages.slice(0, 1) }
  const body = request.dialect === dialect ? writeRequest(leading, { model: '', downgrade: () => {} }) : {}
  return Object.fromEntries([
    ...echoed.map(([field, fallback]) => [field, body[field] ?? fallback] as const),
    ['store', false],
  ])
}

export function writeResponse(response: CanonicalResponse, ctx: WriteResponseContext): JsonObject {
  const target: NativeTarget = { dialect, downgrade: ctx.downgrade, responding: true }
  const own = nativeResponseFields(response.native, dialect)
  const isOwn = response.native?.dialect === dialect
  const [choice, ...others] = response.choices
  if (others.length > 0) ctx.downgrade({ field: 'choices', reason: 'the Responses API gives one answer' })
  let count = 0
  const id = response.id || (ctx.id ?? '')
  const outcome = outcomeOf(choice?.stopReason ?? 'stop')
  const made: ItemMaker = {
    id: (prefix) => `${prefix}_${id}_${count++}`,
    status: outcome['status'] === 'incomplete' ? 'incomplete' : 'completed',
  }
  const parts = withLogprobs(choice?.parts ?? [], choice?.logprobs)
  const output = writeOutput(parts, target, made)
  return {
    ...(isOwn ? {} : { ...echoOf(ctx.request), ...outcome }),
    usage: response.usage === undefined ? null : writeUsageFigures(response.usage),
    ...own,
    id,
    object: 'response',
    created_at: response.created || (ctx.created ?? 0),
    model: ctx.model,
    output,
    ...(typeof own['output_text'] === 'string' ? { output_text: outputTextOf(parts) } : {}),
    ...(response.serviceTier === undefined ? {} : { service_tier: response.serviceTier }),
  }
}

function outputTextOf(parts: readonly Part[]): string {
  return parts.reduce((text, part) => (part.type === 'text' ? text + part.text : text), '')
}

/** Log probabilities of another dialect go with the first text. */
function withLogprobs(parts: readonly Part[], logprobs: JsonValue | undefined): readonly Part[] {
  const content = isJsonObject(logprobs) ? logprobs['content'] : undefined
  const at = parts.findIndex((part) => part.type === 'text')
  const part = parts[at]
  if (
    content === undefined ||
    content === null ||
    part?.type !== 'text' ||
    part.native?.dialect === dialect
  ) {
    return parts
  }
  return parts.with(at, { ...part, native: { dialect, fields: { logprobs: content } } })
}
