/** `finishReason` ↔ canonical. A turn that ends with function calls says STOP here. */
import type { Native, Part, StopReason } from '../../../domain/canonical.ts'
import type { JsonValue } from '../../../domain/json.ts'

const fromWire: ReadonlyMap<JsonValue | undefined, StopReason> = new Map<JsonValue | undefined, StopReason>([
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'content-filter'],
  ['RECITATION', 'content-filter'],
  ['LANGUAGE', 'content-filter'],
  ['BLOCKLIST', 'content-filter'],
  ['PROHIBITED_CONTENT', 'content-filter'],
  ['SPII', 'content-filter'],
  ['IMAGE_SAFETY', 'content-filter'],
  ['IMAGE_PROHIBITED_CONTENT', 'content-filter'],
  ['IMAGE_RECITATION', 'content-filter'],
  ['MODEL_ARMOR', 'content-filter'],
  ['OTHER', 'error'],
  ['IMAGE_OTHER', 'error'],
  ['NO_IMAGE', 'error'],
  ['MALFORMED_FUNCTION_CALL', 'error'],
  ['MALFORMED_RESPONSE', 'error'],
  ['UNEXPECTED_TOOL_CALL', 'error'],
  ['TOO_MANY_TOOL_CALLS', 'error'],
])

const toWire: Readonly<Record<StopReason, string>> = {
  stop: 'STOP',
  'tool-calls': 'STOP',
  'stop-sequence': 'STOP',
  pause: 'STOP',
  length: 'MAX_TOKENS',
  'content-filter': 'SAFETY',
  refusal: 'SAFETY',
  error: 'OTHER',
}

/** Unknown reasons read as a natural end; the word itself is kept in `native`. */
export function readFinishReason(wire: JsonValue | undefined, calls: boolean): StopReason {
  const reason = fromWire.get(wire) ?? 'stop'
  return reason === 'stop' && calls ? 'tool-calls' : reason
}

export function hasCalls(parts: readonly Part[]): boolean {
  return parts.some((part) => part.type === 'tool-call')
}

/** True where the canonical reason does not lead back to the same word. */
export function losesFinishReason(wire: JsonValue | undefined): boolean {
  return toWire[readFinishReason(wire, false)] !== wire
}

/** The word that the provider used where it still means the same, else ours. */
export function writeFinishReason(reason: StopReason, native: Native | undefined): JsonValue | undefined {
  if (native?.dialect === 'gemini' && 'finishReason' in native.fields) {
    const own = native.fields['finishReason']
    if (readFinishReason(own, reason === 'tool-calls') === reason) return own
  }
  return toWire[reason]
}
