/** One rule's part of one exchange: its counter, and what the exchange holds and has used of it. */
import type { LimitRule } from '../domain/limits.ts'
import type { CounterTerms } from '../ports/central-counters.ts'
import type { CounterPart, NodeCounter } from '../ports/node-counters.ts'
import type { CompiledRule, RulePlace } from './compile-limits.ts'
import type { CountedPart } from './counted-part.ts'
import { roomOf } from './counter-terms.ts'
import type { LimitRequest } from './limit-request.ts'
import { type PartKind, partKindOf, unitsOf } from './meters.ts'

export class LimitPart implements CounterPart, CountedPart {
  readonly compiled: CompiledRule
  readonly kind: PartKind
  /** Asked for at the start. */
  units: number
  place: RulePlace
  check: 'firm' | 'soft' | 'forced'
  hold = 0
  use = 0
  held = 0
  ticket = 0
  short = false
  left = 0
  /** Units used and counted so far. */
  counted = 0
  /** Not counted: exceeded and not enforced, or out of reach and open. */
  skipped = false

  constructor(compiled: CompiledRule, place: RulePlace, request: LimitRequest) {
    this.compiled = compiled
    this.place = place
    this.kind = partKindOf(compiled.rule.meter)
    this.units = unitsOf(compiled.rule.meter, request)
    this.check = checkOf(compiled.rule)
    this.ask()
  }

  get rule(): LimitRule {
    return this.compiled.rule
  }
  get counter(): NodeCounter {
    return this.place.counter
  }
  get terms(): CounterTerms {
    return this.place.terms
  }
  get available(): number {
    return this.left
  }

  /** What is asked for is a good part of what was left when this thread last looked. */
  get isNear(): boolean {
    if (this.kind !== 'reserved') return false
    const { lastLeft, terms } = this.place
    return (lastLeft ?? roomOf(terms)) < nearFactor * this.units
  }

  /** The request's figures are others now. */
  measure(request: LimitRequest): void {
    if (this.kind === 'reserved') this.units = unitsOf(this.rule.meter, request)
  }

  /** The first move: take what is asked for. */
  ask(): void {
    this.hold = this.kind === 'counted' ? 0 : this.units
    this.use = this.kind === 'counted' ? this.units : 0
  }

  /** The last move: `used` in all. */
  close(used: number): void {
    this.hold = -this.held
    this.use = this.kind === 'reserved' ? used - this.counted : 0
    this.check = 'forced'
  }
}

/** Rough figures serve while at least so many times as much is left. */
const nearFactor = 8

/** Soft budgets count on beyond their amount; other rules that are not enforced leave out what exceeds them. */
function checkOf({ mode, window }: LimitRule): 'firm' | 'soft' | 'forced' {
  if (mode === 'enforce') return 'firm'
  return mode === 'warn' && window?.kind === 'calendar' ? 'forced' : 'soft'
}

/** Milliseconds until `units` may be there; null: never. */
export function waitMsOf(part: LimitPart, now: number): number | null {
  const { terms } = part
  switch (terms.kind) {
    case 'rolling': {
      if (part.units > terms.burst || terms.amount <= 0) return null
      return Math.max(1, Math.ceil(((part.units - part.left) * terms.windowMs) / terms.amount))
    }
    case 'calendar':
      return part.units > terms.amount ? null : Math.max(1, terms.endsAt - now)
    case 'concurrency':
      // It ends when another exchange does, which nobody knows.
      return terms.amount <= 0 ? null : concurrencyRetryMs
  }
}
const concurrencyRetryMs = 1000
