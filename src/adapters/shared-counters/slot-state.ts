/** What a counter's numbers mean: drain, capacity, and from when nothing is counted in a slot any more. */
import type { CounterTerms } from '../../ports/central-counters.ts'
import { at, type CounterViews, endsAt, level, pending, rate, slotNumbers, spent } from './layout.ts'

/**
 * Units are whole, levels are not: a drained level may be off by 2^-52 of itself. A counter may thus hold this part
 * of one unit more than its capacity, never more.
 */
export const tolerance = 1e-6

export function capacityOf(terms: CounterTerms): number {
  return terms.kind === 'rolling' ? terms.burst : terms.amount
}

/** Units that drain in a millisecond. */
export function rateOf(terms: CounterTerms): number {
  return terms.kind === 'rolling' ? terms.amount / terms.windowMs : 0
}

export function endOf(terms: CounterTerms): number {
  return terms.kind === 'calendar' ? terms.endsAt : 0
}

/** Used units in `slot` at `now`. A clock that was put back drains nothing. */
export function levelAt(views: CounterViews, slot: number, known: { rate: number; now: number }): number {
  const base = slot * slotNumbers
  const elapsed = known.now - (views.slots[base + at] ?? 0)
  const stored = views.slots[base + level] ?? 0
  return elapsed > 0 ? Math.max(0, stored - elapsed * known.rate) : stored
}

/** From when nothing is counted in the slot, as its numbers stand. */
export function idleFrom(views: CounterViews, slot: number, now: number): number {
  const base = slot * slotNumbers
  const { slots } = views
  if ((slots[base + pending] ?? 0) > 0) return Number.POSITIVE_INFINITY
  const used = slots[base + level] ?? 0
  if (used <= 0) return now
  const perMs = slots[base + rate] ?? 0
  return perMs > 0 ? (slots[base + at] ?? 0) + used / perMs : (slots[base + endsAt] ?? 0)
}

/** The same of a leased counter: it is in use while it holds anything that the central counters must hear of. */
export function leaseIdleFrom(views: CounterViews, slot: number, now: number): number {
  const base = slot * slotNumbers
  const { slots } = views
  const isEmpty =
    (slots[base + pending] ?? 0) <= 0 && (slots[base + spent] ?? 0) === 0 && (slots[base + level] ?? 0) === 0
  return isEmpty ? now : Number.POSITIVE_INFINITY
}
