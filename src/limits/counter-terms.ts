/** What the terms of a counter say by themselves. */
import type { CounterTerms } from '../ports/central-counters.ts'

/** Units that a full counter holds. */
export function roomOf(terms: CounterTerms): number {
  return terms.kind === 'rolling' ? terms.burst : terms.amount
}

/** False: the period is over, or the clock was put back before it. */
export function isCurrent(terms: CounterTerms, now: number): boolean {
  return terms.kind !== 'calendar' || (now >= terms.startsAt && now < terms.endsAt)
}
