/**
 * Why a request is limited as it is: every rule that it could meet, which counter it counts in, how that stands, and
 * why the others do not apply. Pure: the caller reads the counters that `limitCountersOf` names, and hands them in.
 */
import type { LimitRule } from '../domain/limits.ts'
import type { CounterKey, CounterStanding } from '../ports/central-counters.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import { type CompiledLimits, mismatchesOf, termsAt } from './compile-limits.ts'
import type { LimitRequest } from './limit-request.ts'
import { counterKeyOf } from './subjects.ts'

export interface LimitExplanation {
  readonly rule: LimitRule
  readonly applies: boolean
  /** Fields of the rule's `match` that keep it from applying. */
  readonly mismatches: readonly string[]
  /** Subject values in the order of the rule's `per`, joined by `|`: what a top-up names. */
  readonly subject: string
  readonly key: string
  /** With top-ups. */
  readonly amount: number
  /** Null: not read. */
  readonly remaining: number | null
  /** Until all units are there again. */
  readonly resetMs: number | null
}

export interface LimitCounter extends CounterKey {
  readonly rule: LimitRule
}

/** The counters of the rules that apply to `request`, to be read before `explainLimits`. */
export function limitCountersOf(
  limits: CompiledLimits,
  request: LimitRequest,
  now: number,
): readonly LimitCounter[] {
  return limits.rulesOf(request).map((compiled) => {
    const { rule } = compiled
    const subject = compiled.subjectOf(request)
    const key = counterKeyOf(rule.organizationId, rule.id, subject)
    return { rule, key, terms: termsAt(compiled, subject, now) }
  })
}

/** How a counter that is kept on this node stands. */
export function readNodeStanding(
  counters: NodeCounters,
  { rule, key, terms }: LimitCounter,
  now: number,
): CounterStanding {
  const startsAt = terms.kind === 'calendar' ? terms.startsAt : 0
  const counter = counters.counter({ key, startsAt, group: rule.organizationId, leased: false })
  const reading = counters.read(counter, terms, now)
  if (reading === null)
    return { remaining: terms.kind === 'rolling' ? terms.burst : terms.amount, resetMs: 0 }
  const resetMs = reading.fullAt === null ? 0 : Math.max(0, Math.ceil(reading.fullAt - now))
  return { remaining: Math.max(0, Math.floor(reading.left + 1e-6)), resetMs }
}

export function explainLimits(
  limits: CompiledLimits,
  request: LimitRequest,
  known: { readonly now: number; readonly standingOf: (key: string) => CounterStanding | null },
): readonly LimitExplanation[] {
  const applying = new Set(limits.rulesOf(request))
  return limits.candidatesOf(request).map((compiled) => {
    const { rule } = compiled
    const applies = applying.has(compiled)
    const subject = compiled.subjectOf(request)
    const key = counterKeyOf(rule.organizationId, rule.id, subject)
    const standing = applies ? known.standingOf(key) : null
    return {
      rule,
      applies,
      mismatches: applies ? [] : mismatchesOf(compiled, request),
      subject,
      key,
      amount: termsAt(compiled, subject, known.now).amount,
      remaining: standing?.remaining ?? null,
      resetMs: standing?.resetMs ?? null,
    }
  })
}
