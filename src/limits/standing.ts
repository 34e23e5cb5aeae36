/** How much of a rule is left, as callers are told. */
import type { LimitRule } from '../domain/limits.ts'
import type { CounterTerms } from '../ports/central-counters.ts'
import type { LeaseReading } from '../ports/node-counters.ts'

export interface LimitStanding {
  readonly rule: LimitRule
  /** With top-ups. */
  readonly amount: number
  readonly remaining: number
  /** Until all units are there again; 0: they are, or (concurrency) nobody knows. */
  readonly resetMs: number
}

/** A counter as it was left by the last move. */
interface Counted {
  readonly rule: LimitRule
  readonly terms: CounterTerms
  readonly left: number
}

export function standingOf(part: Counted, lease: LeaseReading | null, now: number): LimitStanding {
  const { terms, rule } = part
  const left = lease === null ? part.left : Math.max(0, lease.balance) + (lease.centralLeft ?? terms.amount)
  const remaining = Math.max(0, Math.floor(left + 1e-6))
  return { rule, amount: terms.amount, remaining, resetMs: resetMsOf(part, lease, now) }
}

function resetMsOf({ terms, left }: Counted, lease: LeaseReading | null, now: number): number {
  if (terms.kind === 'concurrency') return 0
  if (terms.kind === 'calendar') return Math.max(0, terms.endsAt - now)
  if (lease !== null) return Math.max(0, lease.centralResetAt - now)
  const missing = terms.burst - left
  return missing <= 0 || terms.amount <= 0 ? 0 : Math.ceil((missing * terms.windowMs) / terms.amount)
}
