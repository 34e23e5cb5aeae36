/** For the contract of NodeCounters: terms and parts to vary. */
import type { CounterTerms } from './central-counters.ts'
import type { CounterPart, NodeCounters } from './node-counters.ts'

export interface CounterBounds {
  readonly slots: number
  readonly tickets: number
}
/** Counters shared by `owners`; each call of what it gives opens them for one. */
export type OpenCounters = (bounds?: CounterBounds) => (owner: number) => NodeCounters

export const noon = Date.UTC(2026, 0, 15, 12)
export const hourMs = 3_600_000

export const rolling = (amount: number, windowMs = 60_000, burst = amount): CounterTerms => ({
  kind: 'rolling',
  amount,
  windowMs,
  burst,
})
export const budget = (amount: number, startsAt = noon): CounterTerms => ({
  kind: 'calendar',
  amount,
  startsAt,
  endsAt: startsAt + hourMs,
})
export const slotsOf = (amount: number): CounterTerms => ({ kind: 'concurrency', amount })

interface PartOptions {
  readonly leased?: boolean
  readonly group?: string
  readonly check?: CounterPart['check']
  readonly hold?: number
  readonly use?: number
  readonly usedAtDeath?: boolean
}

/** A part that uses one unit unless it says otherwise. */
export function partOf(
  counters: NodeCounters,
  [name, terms]: readonly [string, CounterTerms],
  options: PartOptions = {},
): CounterPart {
  const { leased = false, group = 'org', check = 'firm', hold = 0, usedAtDeath = false } = options
  const startsAt = terms.kind === 'calendar' ? terms.startsAt : 0
  const counter = counters.counter({ key: `{${group}}${name}`, startsAt, group, leased })
  const use = options.use ?? (hold === 0 ? 1 : 0)
  return { counter, terms, check, hold, use, held: 0, ticket: 0, usedAtDeath, short: false, left: 0 }
}

/** Move again, with other units. */
export function again(
  counters: NodeCounters,
  part: CounterPart,
  units: { hold: number; use: number; now?: number },
) {
  part.hold = units.hold
  part.use = units.use
  part.check = 'forced'
  return counters.move([part], units.now ?? noon)
}

export function leftOf(counters: NodeCounters, part: CounterPart, now = noon): number {
  return counters.read(part.counter, part.terms, now)?.left ?? Number.NaN
}

/** A credit that says nothing of the central counter. */
export const heard = { centralLeft: 0, centralResetAt: 0, dryUntil: 0, dryUnits: 0 }
