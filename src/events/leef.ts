/**
 * An event as a line of IBM's Log Event Extended Format 2.0, attributes parted by tabs. LEEF knows no escapes: tabs and
 * line ends are spaces by then (`plainText`), `|` in the header becomes `/`.
 */
import type { OversightEvent } from '../domain/oversight-event.ts'
import { factsOf, product, severityNumbers } from './event-facts.ts'

/** Predefined attributes of LEEF for our facts; others keep their names. */
const keys: Readonly<Record<string, string>> = Object.freeze({
  stream: 'cat',
  address: 'src',
  actor: 'usrName',
  requestBytes: 'srcBytes',
  responseBytes: 'dstBytes',
  severity: 'severityName',
})

export function leefLine(event: OversightEvent): string {
  const facts = factsOf(event)
  const action = facts.find(([name]) => name === 'action')?.[1] ?? ''
  const header = [product.vendor, product.name, product.version, action].map((part) =>
    String(part).replaceAll('|', '/'),
  )
  const attributes = facts.map(([name, value]) => `${keys[name] ?? name}=${value}`)
  const own = [`devTime=${event.time}`, `sev=${severityNumbers[event.severity]}`]
  return `LEEF:2.0|${header.join('|')}|x09|${[...own, ...attributes].join('\t')}`
}
