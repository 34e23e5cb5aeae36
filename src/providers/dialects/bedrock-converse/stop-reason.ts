/** `stopReason` ↔ canonical. */
import type { Native, StopReason } from '../../../domain/canonical.ts'
import type { JsonValue } from '../../../domain/json.ts'

const fromWire: ReadonlyMap<JsonValue | undefined, StopReason> = new Map<JsonValue | undefined, StopReason>([
  ['end_turn', 'stop'],
  ['tool_use', 'tool-calls'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['stop_sequence', 'stop-sequence'],
  ['content_filtered', 'content-filter'],
  ['guardrail_intervened', 'content-filter'],
  ['malformed_model_output', 'error'],
  ['malformed_tool_use', 'error'],
])

const toWire: Readonly<Record<StopReason, string>> = {
  stop: 'end_turn',
  pause: 'end_turn',
  'tool-calls': 'tool_use',
  length: 'max_tokens',
  'stop-sequence': 'stop_sequence',
  'content-filter': 'content_filtered',
  refusal: 'content_filtered',
  error: 'malformed_model_output',
}

/** Unknown reasons read as a natural end; the word itself is kept in `native`. */
export function readStopReason(wire: JsonValue | undefined): StopReason {
  return fromWire.get(wire) ?? 'stop'
}

/** True where the canonical reason does not lead back to the same word. */
export function losesStopReason(wire: JsonValue | undefined): boolean {
  return wire !== undefined && toWire[readStopReason(wire)] !== wire
}

/** The word that the provider used where it still means the same, else ours. */
export function writeStopReason(reason: StopReason, native: Native | undefined): JsonValue {
  const own = native?.dialect === 'bedrock-converse' ? native.fields['stopReason'] : undefined
  return own !== undefined && readStopReason(own) === reason ? own : toWire[reason]
}
