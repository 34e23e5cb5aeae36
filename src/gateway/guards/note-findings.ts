/** What guards found in an exchange: kept for its record, and summed up for its caller. */
import type { GuardFinding } from '../../domain/guards.ts'
import { mostFindings } from '../../inspection/index.ts'
import type { Exchange } from '../exchange.ts'

export function noteFindings(exchange: Exchange, findings: readonly GuardFinding[]): void {
  const room = mostFindings - exchange.findings.length
  if (findings.length > 0 && room > 0) exchange.findings = [...exchange.findings, ...findings.slice(0, room)]
}

/**
 * `secrets;place=request;action=mask;count=2, …`: detector, place and action, never the rule or the text; nothing of
 * guards that are in shadow. Empty: there is nothing to tell.
 */
export function findingsHeader(findings: readonly GuardFinding[]): string {
  const counts = new Map<string, number>()
  for (const { detector, place, action, mode } of findings) {
    if (mode === 'shadow') continue
    const name = `${detector};place=${place};action=${action}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${name};count=${count}`).join(', ')
}
