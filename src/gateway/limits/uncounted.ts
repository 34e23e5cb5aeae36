/**
 * A batch is a file of requests: what it uses is not known when it is created, and comes to nobody's eyes but the
 * provider's. A budget of tokens or money that is enforced would not hold, so where there is one no batch is created.
 * Rules that refill (requests or tokens a minute) are about pace; a batch runs at the provider's, and counts as a request.
 */
import type { LimitRule } from '../../domain/limits.ts'
import type { CompiledLimits, LimitRequest } from '../../limits/index.ts'

/** An enforced budget under which something that the batch may hold would count; null: there is none. */
export function budgetAgainstBatches(limits: CompiledLimits, request: LimitRequest): LimitRule | null {
  for (const { rule, matches } of limits.candidatesOf(request)) {
    // A batch names no model, and may use all of them.
    if (isBudget(rule) && (rule.match.models !== null || matches(request))) return rule
  }
  return null
}

function isBudget({ mode, window, meter }: LimitRule): boolean {
  return mode === 'enforce' && window?.kind === 'calendar' && (meter === 'cost' || meter.endsWith('-tokens'))
}
