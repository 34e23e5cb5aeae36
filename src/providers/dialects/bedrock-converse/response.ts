/** Converse response ↔ canonical. The API gives neither id, model nor time. */
import type { CanonicalChoice, CanonicalResponse } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { WriteResponseContext } from '../../dialect.ts'
import { nativeResponseFields } from '../../native.ts'
import { isJsonArray, objectsIn, present, stringOr, untaken } from '../../reading.ts'
import { withNote } from '../../tool-turns.ts'
import { malformedResponse } from '../../upstream-error.ts'
import { readResponseBlocks } from './content-reader.ts'
import { writeResponsePart } from './content-writer.ts'
import { losesStopReason, readStopReason, writeStopReason } from './stop-reason.ts'
import { fromUsage, restoreUsage } from './usage.ts'

const dialect = 'bedrock-converse'

const responseFields: ReadonlySet<string> = new Set(['output', 'stopReason'])

/** Throws `upstream.malformed` on a body that is no message. */
export function readResponse(body: JsonObject): CanonicalResponse {
  const output = isJsonObject(body['output']) ? body['output'] : {}
  const message = isJsonObject(output['message']) ? output['message'] : {}
  const { usage, stopReason, serviceTier } = body
  if (!isJsonArray(message['content'])) throw malformedResponse('output.message.content')
  const choice = present<CanonicalChoice>({
    index: 0,
    parts: readResponseBlocks(objectsIn(message['content'])),
    stopReason: readStopReason(stopReason),
    native: losesStopReason(stopReason) ? { dialect, fields: { stopReason } } : undefined,
  })
  return present<CanonicalResponse>({
    id: '',
    model: '',
    created: 0,
    choices: [choice],
    usage: isJsonObject(usage) ? fromUsage(usage) : undefined,
    serviceTier: isJsonObject(serviceTier) ? stringOr(serviceTier['type'], undefined) : undefined,
    native: withNote(untaken(body, responseFields, { dialect, at: '' }), shapeOf(body['output']), {
      dialect,
      at: '',
    }),
  })
}

/** What stands around the content, unless it is the plain `{message: {role: assistant, content}}`. */
function shapeOf(output: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(output) || !isJsonObject(output['message'])) return undefined
  const { message, ...around } = output
  const { content: _content, ...beside } = message
  const plain =
    Object.keys(around).length === 0 && Object.keys(beside).length === 1 && beside['role'] === 'assistant'
  return plain ? undefined : { output: { ...around, message: beside } }
}

function writeOutput(content: readonly JsonObject[], shape: JsonValue | undefined): JsonObject {
  if (!isJsonObject(shape) || !isJsonObject(shape['message']))
    return { message: { role: 'assistant', content } }
  return { ...shape, message: { ...shape['message'], content } }
}

export function writeResponse(response: CanonicalResponse, ctx: WriteResponseContext): JsonObject {
  const [choice, ...others] = response.choices
  if (others.length > 0) ctx.downgrade(oneChoice)
  const target = { dialect, downgrade: ctx.downgrade, responding: true } as const
  const { usage: ownUsage, output: shape, ...own } = nativeResponseFields(response.native, dialect)
  const content = (choice?.parts ?? []).flatMap((part) => writeResponsePart(part, target))
  const body: Record<string, JsonValue | undefined> = {
    output: writeOutput(content, shape),
    stopReason: choice === undefined ? 'end_turn' : writeStopReason(choice.stopReason, choice.native),
  }
  if (response.usage !== undefined) body['usage'] = restoreUsage(response.usage, ownUsage)
  return { ...body, ...own }
}

export const oneChoice = { field: 'choices', reason: 'this API carries one answer; the first was taken' }
