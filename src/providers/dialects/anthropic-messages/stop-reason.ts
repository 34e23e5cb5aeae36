/** `stop_reason` ↔ canonical. */
import type { Native, StopReason } from '../../../domain/canonical.ts'
import type { JsonValue } from '../../../domain/json.ts'

const fromWire: ReadonlyMap<JsonValue | undefined, StopReason> = new Map<JsonValue | undefined, StopReason>([
  ['end_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['stop_sequence', 'stop-sequence'],
  ['tool_use', 'tool-calls'],
  ['pause_turn', 'pause'],
  ['refusal', 'refusal'],
])

const toWire: Readonly<Record<StopReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'stop-sequence': 'stop_sequence',
  'tool-calls': 'tool_use',
  pause: 'pause_turn',
  refusal: 'refusal',
  'content-filter': 'refusal',
  error: 'end_turn',
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
  const own = native?.dialect === 'anthropic-messages' ? native.fields['stop_reason'] : undefined
  return own !== undefined && readStopReason(own) === reason ? own : toWire[reason]
}
