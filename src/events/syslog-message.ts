/**
 * A syslog message of RFC 5424: header, structured data with the facts of the event, and a payload. The payload has no
 * byte order mark (§6.4, MSG-ANY): receivers that parse JSON, CEF or LEEF do not expect one.
 *
 * The id of the structured data ends in 32473, the enterprise number for documentation (RFC 5612): we have none.
 */
import type { EventSeverity, EventStream, OversightEvent } from '../domain/oversight-event.ts'
import { factsOf } from './event-facts.ts'

export interface SyslogFrame {
  /** Name of this host; what RFC 5424 does not allow becomes `-`. */
  readonly hostname: string
  readonly payload: (event: OversightEvent) => string
}

const structuredDataId = 'gatewright@32473'
const facilities: Readonly<Record<EventStream, number>> = Object.freeze({
  access: 16,
  usage: 16,
  security: 10,
  audit: 13,
})
const levels: Readonly<Record<EventSeverity, number>> = Object.freeze({
  info: 6,
  low: 5,
  medium: 4,
  high: 3,
  critical: 2,
})

export function syslogMessage(event: OversightEvent, { hostname, payload }: SyslogFrame): string {
  const priority = facilities[event.stream] * 8 + levels[event.severity]
  const time = new Date(event.time).toISOString()
  const header = `<${priority}>1 ${time} ${printable(hostname, 255)} gatewright - ${printable(event.action, 32)}`
  const parameters = factsOf(event).map(([name, value]) => ` ${name}="${escapeValue(String(value))}"`)
  return `${header} [${structuredDataId}${parameters.join('')}] ${payload(event)}`
}

/** PRINTUSASCII of at most `most` characters (§6). */
function printable(text: string, most: number): string {
  return text.replace(/[^\u0021-\u007e]/g, '').slice(0, most) || '-'
}

/** §6.3.3. */
function escapeValue(text: string): string {
  return text.replace(/["\\\]]/g, '\\$&')
}
