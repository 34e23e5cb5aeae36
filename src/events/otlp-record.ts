/**
 * An event as a log record of OTLP (JSON encoding of opentelemetry-proto 1.x: 64-bit integers are strings, ids are
 * hexadecimal). Attributes are the facts under `gatewright.`.
 */
import type { EventSeverity, OversightEvent } from '../domain/oversight-event.ts'
import { factsOf, messageOf } from './event-facts.ts'

/** Severity numbers of the log data model: INFO, INFO2, WARN, ERROR, FATAL. */
const severities: Readonly<Record<EventSeverity, readonly [number: number, text: string]>> = Object.freeze({
  info: [9, 'INFO'],
  low: [10, 'INFO2'],
  medium: [13, 'WARN'],
  high: [17, 'ERROR'],
  critical: [21, 'FATAL'],
})

const traceId = /^[0-9a-f]{32}$/
const spanId = /^[0-9a-f]{16}$/

export function otlpRecord(event: OversightEvent): string {
  const [severityNumber, severityText] = severities[event.severity]
  const trace = event.exchange?.traceId ?? ''
  const span = event.exchange?.spanId ?? ''
  return JSON.stringify({
    timeUnixNano: `${Math.trunc(event.time)}000000`,
    observedTimeUnixNano: `${Math.trunc(event.time)}000000`,
    severityNumber,
    severityText,
    eventName: `gatewright.${event.stream}`,
    body: { stringValue: messageOf(event) },
    attributes: factsOf(event).map(([name, value]) => ({
      key: `gatewright.${name}`,
      value: anyValue(value),
    })),
    ...(traceId.test(trace) ? { traceId: trace } : {}),
    ...(spanId.test(span) ? { spanId: span } : {}),
  })
}

function anyValue(value: string | number | boolean): Readonly<Record<string, unknown>> {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}
