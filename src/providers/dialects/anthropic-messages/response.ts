/** Anthropic Messages response ↔ canonical. The API knows no creation time: `created` is 0. */
import type { CanonicalChoice, CanonicalResponse, Native } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { WriteResponseContext } from '../../dialect.ts'
import { nativeResponseFields } from '../../native.ts'
import { isJsonArray, present, stringOr, untaken } from '../../reading.ts'
import { malformedResponse } from '../../upstream-error.ts'
import { readResponseBlocks } from './content-reader.ts'
import { writeBlocks } from './content-writer.ts'
import { losesStopReason, readStopReason, writeStopReason } from './stop-reason.ts'
import { fromUsage, restoreUsage } from './usage.ts'

const dialect = 'anthropic-messages'

const responseFields: ReadonlySet<string> = new Set([
  'id',
  'type',
  'role',
  'model',
  'content',
  'stop_reason',
  'stop_sequence',
])

/** Throws `upstream.malformed` on a body that is no message. */
export function readResponse(body: JsonObject): CanonicalResponse {
  const usage = body['usage']
  const reason = body['stop_reason']
  if (!isJsonArray(body['content'])) throw malformedResponse('content')
  const choice = present<CanonicalChoice>({
    index: 0,
    parts: readResponseBlocks(body['content']),
    stopReason: readStopReason(reason),
    stopSequence: stringOr(body['stop_sequence'], undefined),
    native: losesStopReason(reason) ? { dialect, fields: { stop_reason: reason } } : undefined,
  })
  return present<CanonicalResponse>({
    id: stringOr(body['id'], ''),
    model: stringOr(body['model'], ''),
    created: 0,
    choices: [choice],
    usage: isJsonObject(usage) ? fromUsage(usage) : undefined,
    serviceTier: isJsonObject(usage) ? stringOr(usage['service_tier'], undefined) : undefined,
    native: withoutNulls(untaken(body, responseFields, { dialect, at: '' })),
  })
}

/** `stop_reason` and `stop_sequence` are written in every case, so a `null` of theirs is not kept. */
function withoutNulls(native: Native | undefined): Native | undefined {
  if (native === undefined) return undefined
  const { stop_reason: _reason, stop_sequence: _sequence, ...fields } = native.fields
  return Object.keys(fields).length === 0 ? undefined : { dialect, fields, at: '' }
}

export function writeResponse(response: CanonicalResponse, ctx: WriteResponseContext): JsonObject {
  const [choice, ...others] = response.choices
  if (others.length > 0) {
    ctx.downgrade({ field: 'choices', reason: 'this API carries one answer; the first was taken' })
  }
  const { usage: ownUsage, ...own } = nativeResponseFields(response.native, dialect)
  const target = {
    dialect,
    downgrade: ctx.downgrade,
    kind: 'response',
    same: false,
    responding: true,
  } as const
  const body: Record<string, JsonValue | undefined> = {
    id: response.id || (ctx.id ?? ''),
    type: 'message',
    role: 'assistant',
    model: ctx.model,
    content: writeBlocks(choice?.parts ?? [], target, (index) => `content[${index}]`),
    stop_reason: choice === undefined ? 'end_turn' : writeStopReason(choice.stopReason, choice.native),
    stop_sequence: choice?.stopSequence ?? null,
    ...own,
  }
  body['usage'] = response.usage === undefined ? unknownUsage : restoreUsage(response.usage, ownUsage)
  return body
}

/** SDKs expect the object; a provider that told no figures gives zeros. */
const unknownUsage: JsonObject = Object.freeze({ input_tokens: 0, output_tokens: 0 })
