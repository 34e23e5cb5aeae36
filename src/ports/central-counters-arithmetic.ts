/**
 * The arithmetic of shared counters, for adapters that compute in this process (memory, SQL). The Valkey functions
 * say the same in Lua; the contract suite holds all of them against one oracle.
 *
 *   rolling      units = debt at `at`; drains by amount / windowMs per millisecond   (GCRA, counted in units)
 *   calendar     units = used in the period
 *   concurrency  units = held
 *
 * Numbers are doubles: the error of one step is at most 2^-53 of the burst, and `tolerance` absorbs it.
 */
import type { CounterStanding, CounterTerms, LeaseGrant, TakeOutcome } from './central-counters.ts'

export interface CounterState {
  units: number
  /** Server time of `units`, milliseconds. */
  at: number
}

/** After this long no exchange is under way that could still settle what it took. */
export const longestExchangeMs = 90_000_000
/** A hold ends when its exchange does, which nobody knows: ask again in a second. */
const concurrencyRetryMs = 1000

export function capacityOf(terms: CounterTerms): number {
  return terms.kind === 'rolling' ? terms.burst : terms.amount
}

function tolerance(capacity: number): number {
  return Math.max(1e-6, capacity * 1e-12)
}

/** Bring a rolling counter to `now`. A clock that was put back drains nothing. */
export function drain(state: CounterState, terms: CounterTerms, now: number): void {
  if (terms.kind === 'rolling') {
    const elapsedMs = Math.max(0, now - state.at)
    state.units = Math.max(0, state.units - (elapsedMs * terms.amount) / terms.windowMs)
  }
  state.at = now
}

/** Units that are there; whole, never below zero. `state` is drained. */
export function remainingOf(state: CounterState, terms: CounterTerms): number {
  const capacity = capacityOf(terms)
  return Math.max(0, Math.floor(capacity - state.units + tolerance(capacity)))
}

/** Milliseconds until `units` can be taken; 0: now, null: never. `state` is drained. */
export function waitMsOf(state: CounterState, terms: CounterTerms, units: number): number | null {
  const capacity = capacityOf(terms)
  const missing = state.units + units - capacity
  if (missing <= tolerance(capacity)) return 0
  if (units > capacity + tolerance(capacity)) return null
  switch (terms.kind) {
    case 'rolling':
      return terms.amount > 0 ? Math.ceil((missing * terms.windowMs) / terms.amount) : null
    case 'calendar':
      return Math.max(1, Math.ceil(terms.endsAt - state.at))
    case 'concurrency':
      return concurrencyRetryMs
  }
}

function resetMsOf(state: CounterState, terms: CounterTerms): number {
  if (state.units <= tolerance(capacityOf(terms))) return 0
  switch (terms.kind) {
    case 'rolling':
      return terms.amount > 0 ? Math.ceil((state.units * terms.windowMs) / terms.amount) : terms.windowMs
    case 'calendar':
      return Math.max(0, Math.ceil(terms.endsAt - state.at))
    case 'concurrency':
      return 0
  }
}

export function standingOf(state: CounterState, terms: CounterTerms): CounterStanding {
  return { remaining: remainingOf(state, terms), resetMs: resetMsOf(state, terms) }
}

/** Positive: debit; negative: give back, never below empty. */
export function shift(state: CounterState, units: number): void {
  state.units = Math.max(0, state.units + units)
}

export interface CounterDemand {
  readonly state: CounterState
  readonly terms: CounterTerms
  readonly units: number
}

/** Debit all demands, or none. States that stand twice in the list are counted together. `states` are drained. */
export function takeAll(demands: readonly CounterDemand[]): TakeOutcome {
  const before = demands.map(({ state }) => state.units)
  let refusedBy = -1
  let longest: number | null = 0
  for (const [index, { state, terms, units }] of demands.entries()) {
    const waitMs = waitMsOf(state, terms, units)
    if (waitMs === 0) shift(state, units)
    else if (refusedBy < 0 || (longest !== null && (waitMs === null || waitMs > longest))) {
      refusedBy = index
      longest = waitMs
    }
  }
  if (refusedBy >= 0) for (const [index, { state }] of demands.entries()) state.units = before[index] ?? 0
  const standings = demands.map(({ state, terms }) => standingOf(state, terms))
  if (refusedBy < 0) return { taken: true, standings }
  return { taken: false, refusedBy, retryAfterMs: longest, standings }
}

/** Debit a lease; the rest of the grant is for the adapter to say. */
export function grantLease(
  state: CounterState,
  terms: CounterTerms,
  request: { readonly wanted: number; readonly least: number },
): Pick<LeaseGrant, 'units' | 'standing' | 'retryAfterMs'> {
  const there = remainingOf(state, terms)
  const least = Math.max(1, request.least)
  if (there < least) {
    const retryAfterMs = terms.kind === 'calendar' ? null : waitMsOf(state, terms, least)
    return { units: 0, standing: standingOf(state, terms), retryAfterMs }
  }
  const units = Math.min(there, Math.max(least, request.wanted))
  shift(state, units)
  return { units, standing: standingOf(state, terms), retryAfterMs: null }
}

/**
 * Settle a part of a lease of which `outstanding` units are not settled yet; returns what is outstanding after it.
 * What was spent beyond the lease is debited; no more is given back than was leased.
 */
export function settleLease(
  state: CounterState,
  terms: CounterTerms,
  part: { readonly outstanding: number; readonly spent: number; readonly returned: number },
): number {
  const { outstanding, spent, returned } = part
  if (terms.kind === 'concurrency') {
    const ended = Math.min(outstanding, spent + returned)
    shift(state, -ended)
    return outstanding - ended
  }
  const covered = Math.min(outstanding, spent)
  const given = Math.min(outstanding - covered, returned)
  shift(state, spent - covered - given)
  return outstanding - covered - given
}

/** Milliseconds for which the counter is worth keeping; a `leased` one until its leases can be settled no more. */
export function keepMsOf(state: CounterState, terms: CounterTerms, leased: boolean): number {
  if (terms.kind === 'calendar') return Math.max(0, terms.endsAt - state.at + longestExchangeMs)
  return leased ? longestExchangeMs : resetMsOf(state, terms)
}

/** Name under which a counter is kept: a calendar counter has one for each period. */
export function storedKeyOf(key: string, terms: CounterTerms): string {
  return terms.kind === 'calendar' ? `${key}@${terms.startsAt}` : key
}
