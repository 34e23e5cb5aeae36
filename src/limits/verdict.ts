/** What a limiter answers. */
import type { LimitRule } from '../domain/limits.ts'
import type { CompiledLimits } from './compile-limits.ts'
import type { LimitActual, LimitRequest } from './limit-request.ts'
import type { LimitStanding } from './standing.ts'

export interface Reservation {
  /** Worst first; without rules in `shadow` mode. As they stood after the last call. */
  readonly standings: readonly LimitStanding[]
  /** Rules in `warn` or `shadow` mode that would have refused. */
  readonly exceeded: readonly { readonly rule: LimitRule }[]
  /** Figures so far. Takes more where more was used than reserved. Null: fine; a rule: its limit is reached, end the stream. */
  progress(used: LimitActual): LimitRule | null
  /** Exactly once, however the exchange ended: actual figures. Requests stay counted. */
  settle(actual: LimitActual): void
}

export interface LimitRefusal {
  readonly allowed: false
  readonly rule: LimitRule
  /** `unavailable`: not exceeded, but nobody can say that it is not: store lost, or no room for the counter. */
  readonly cause: 'exceeded' | 'unavailable'
  /** Null: waiting does not help, the request is more than the rule ever allows. */
  readonly retryAfterMs: number | null
  readonly standings: readonly LimitStanding[]
}

export type LimitVerdict = { readonly allowed: true; readonly reservation: Reservation } | LimitRefusal

export interface Limiter {
  /** Calls `done` once: in the same tick unless units must be fetched from the central counters first. */
  admit(limits: CompiledLimits, request: LimitRequest, done: (verdict: LimitVerdict) => void): void
  /** The thread ends, in good order: let go of what no exchange holds. */
  close(): void
}
