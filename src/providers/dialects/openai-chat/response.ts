/**
 * A Chat Completions response → canonical and back. Reading is lenient: unknown fields stay in `native` (those of
 * the message below `message`), the usage object stays whole there for the way back, and a body that is no
 * completion at all throws `faults.upstreamMalformed`.
 */
import type {
  CanonicalChoice,
  CanonicalRequest,
  CanonicalResponse,
  Native,
  Part,
  StopReason,
} from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import type { WriteResponseContext } from '../../dialect.ts'
import { dropResponsePart, type NativeTarget, nativeResponseFields } from '../../native.ts'
import { countOr, objectsIn, stringOr, untaken } from '../../reading.ts'
import { readAssistant } from './read-messages.ts'
import { readUsageFigures, writeUsageFigures } from './usage.ts'
import { writeAssistant } from './write-messages.ts'

const dialect = 'openai-chat'

const known: ReadonlySet<string> = new Set(['id', 'object', 'created', 'model', 'choices', 'service_tier'])
const choiceKeys: ReadonlySet<string> = new Set(['index', 'message', 'finish_reason', 'logprobs'])

export function readResponse(body: JsonObject): CanonicalResponse {
  if (!Array.isArray(body['choices'])) throw malformed('choices')
  const usage = readUsageFigures(body['usage'])
  const tier = stringOr(body['service_tier'], undefined)
  const native = untaken(body, known, { dialect, at: '' })
  return {
    id: stringOr(body['id'], ''),
    model: stringOr(body['model'], ''),
    created: countOr(body['created'], 0),
    choices: objectsIn(body['choices']).map(readChoice),
    ...(usage === undefined ? {} : { usage }),
    ...(tier === undefined ? {} : { serviceTier: tier }),
    ...(native === undefined ? {} : { native }),
  }
}

function malformed(what: string): Fault {
  return new Fault(faults.upstreamMalformed, { internal: `${dialect} response: ${what}` })
}

function readChoice(wire: JsonObject, position: number): CanonicalChoice {
  const message = wire['message']
  if (!isJsonObject(message)) throw malformed('message')
  const { parts, native: rest } = assistantOf(message)
  const finish = wire['finish_reason']
  const stopReason = stopReasonOf(finish, parts)
  let fields: JsonObject | undefined = untaken(wire, choiceKeys, { dialect, at: '' })?.fields
  if (rest !== undefined) fields = { ...fields, message: rest.fields }
  if (finish !== finishReasonOf(stopReason, parts) && finish !== undefined) {
    fields = { ...fields, finish_reason: finish }
  }
  const logprobs = wire['logprobs']
  return {
    index: countOr(wire['index'], position),
    parts,
    stopReason,
    ...(logprobs === undefined || logprobs === null ? {} : { logprobs }),
    ...(fields === undefined ? {} : { native: { dialect, fields } }),
  }
}

function assistantOf(message: JsonObject): {
  readonly parts: readonly Part[]
  readonly native: Native | undefined
} {
  try {
    return readAssistant(message, 'choices[].message')
  } catch (error) {
    if (error instanceof Fault) throw malformed(error.publicText)
    throw error
  }
}

const stopReasons: ReadonlyMap<JsonValue | undefined, StopReason> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool-calls'],
  ['function_call', 'tool-calls'],
  ['content_filter', 'content-filter'],
  ['error', 'error'],
  ['insufficient_system_resource', 'error'],
])

/** `stop` beside calls or a refusal means those: a named tool choice ends with `stop` too. */
export function stopReasonOf(
  finish: JsonValue | undefined,
  parts: readonly Pick<Part, 'type'>[],
): StopReason {
  const reason = stopReasons.get(finish) ?? 'stop'
  if (reason !== 'stop') return reason
  if (parts.some((part) => part.type === 'tool-call')) return 'tool-calls'
  return parts.some((part) => part.type === 'refusal') ? 'refusal' : 'stop'
}

/** The word for a stop reason; a refusal that left no text counts as filtered content. */
export function finishReasonOf(reason: StopReason, parts: readonly Pick<Part, 'type' | 'native'>[]): string {
  switch (reason) {
    case 'stop':
    case 'stop-sequence':
    case 'pause':
      return 'stop'
    case 'length':
      return 'length'
    case 'tool-calls':
      return parts.some((part) => part.native?.fields['function_call'] === true)
        ? 'function_call'
        : 'tool_calls'
    case 'content-filter':
      return 'content_filter'
    case 'refusal':
      return parts.some((part) => part.type === 'refusal') ? 'stop' : 'content_filter'
    case 'error':
      return 'error'
  }
}

/** True for a caller who speaks of `functions`, and so awaits `function_call`. */
export function speaksLegacyFunctions(request: CanonicalRequest): boolean {
  return request.native?.dialect === dialect && request.native.fields['functions'] !== undefined
}

export function writeResponse(response: CanonicalResponse, ctx: WriteResponseContext): JsonObject {
  const own = nativeResponseFields(response.native, dialect)
  const target: NativeTarget = { dialect, downgrade: ctx.downgrade, responding: true }
  const legacy = speaksLegacyFunctions(ctx.request)
  return {
    ...own,
    id: response.id || (ctx.id ?? ''),
    object: 'chat.completion',
    created: response.created || (ctx.created ?? 0),
    model: ctx.model,
    choices: response.choices.map((choice) => writeChoice(choice, target, legacy)),
    ...(response.usage === undefined || own['usage'] ? {} : { usage: writeUsageFigures(response.usage) }),
    ...(response.serviceTier === undefined ? {} : { service_tier: response.serviceTier }),
  }
}

const functionCall: Native = Object.freeze({ dialect, fields: Object.freeze({ function_call: true }) })

function writeChoice(choice: CanonicalChoice, target: NativeTarget, legacy: boolean): JsonObject {
  const native = nativeResponseFields(choice.native, dialect)
  const { message, ...own } = native
  let parts = choice.parts.filter((part) => carries(part, target))
  if (legacy)
    parts = parts.map((part) => (part.type === 'tool-call' ? { ...part, native: functionCall } : part))
  const left = isJsonObject(message) ? message : {}
  const wire = writeAssistant(parts, left, { target, field: 'message', empty: null })
  return {
    index: choice.index,
    message: { content: null, refusal: null, ...wire },
    logprobs: choice.logprobs ?? null,
    finish_reason: finishReasonOf(choice.stopReason, parts),
    ...own,
  }
}

function carries(part: Part, target: NativeTarget): boolean {
  switch (part.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
    case 'tool-call':
      return true
    case 'opaque':
      if (part.native.dialect === dialect) return true
      break
    case 'image':
    case 'audio':
    case 'video':
    case 'document':
    case 'tool-result':
      break
  }
  dropResponsePart(part, target)
  return false
}
