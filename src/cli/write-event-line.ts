/**
 * An event as one aligned line:
 *
 *   20:15:04.118  access    low     429  exchange.refused   gpt-4o            key 1f2e…      12 ms  limits.requests
 */
import type { EventSeverity, OversightEvent } from '../domain/oversight-event.ts'
import { printable } from './table.ts'

const plain = '\u001b[0m'
const dim = '\u001b[2m'
/** Calm: what is well stays as it is, only what is not has a colour. */
const colours: Readonly<Record<EventSeverity, string>> = Object.freeze({
  info: '',
  low: '\u001b[33m',
  medium: '\u001b[31m',
  high: '\u001b[1;31m',
  critical: '\u001b[1;37;41m',
})

function cell(text: string, width: number): string {
  const clean = printable(text)
  return clean.length > width ? `${clean.slice(0, width - 1)}…` : clean.padEnd(width)
}

function tokensOf(event: OversightEvent): string {
  const { exchange } = event
  if (exchange === null || exchange.inputTokens + exchange.outputTokens === 0) return ''
  return `${exchange.inputTokens}→${exchange.outputTokens}`
}

export function writeEventLine(event: OversightEvent, isColoured: boolean): string {
  const { exchange, severity, actor, resource } = event
  const paint = (colour: string, text: string): string =>
    isColoured && colour !== '' ? `${colour}${text}${plain}` : text
  const subject = exchange?.model ?? (resource === null ? '' : `${resource.kind} ${resource.id}`)
  const parts = [
    paint(dim, new Date(event.time).toISOString().slice(11, 23)),
    cell(event.stream, 8),
    paint(colours[severity], cell(severity, 8)),
    cell(exchange === null || exchange.status === 0 ? '–' : String(exchange.status), 3),
    cell(event.action, 22),
    cell(subject, 24),
    paint(dim, cell(`${actor.kind} ${actor.id === '' ? '–' : actor.id}`, 20)),
    (exchange === null ? '' : `${Math.round(exchange.durationMs)} ms`).padStart(9),
    tokensOf(event).padStart(12),
    paint(colours[severity], printable(event.reason)),
  ]
  return `${parts.join('  ').trimEnd()}\n`
}
