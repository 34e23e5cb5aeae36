/** Refusals by limits, as the faults that callers see. */
import type { LimitRule } from '../../domain/limits.ts'
import { type CatalogueEntry, faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { LimitRefusal } from '../../limits/index.ts'

const unavailableRetryMs = 1000

/** The fault for a refusal. */
export function refusalFault({ rule, cause, retryAfterMs }: LimitRefusal): Fault {
  if (cause === 'unavailable')
    return limitFault(faults.limitUnavailable, rule, retryAfterMs ?? unavailableRetryMs)
  if (rule.window?.kind === 'calendar') return limitFault(faults.budgetExhausted, rule, retryAfterMs)
  if (retryAfterMs === null && rule.window !== null) return limitFault(faults.requestBeyondLimit, rule, null)
  return limitFault(faults.limitExceeded, rule, retryAfterMs ?? unavailableRetryMs)
}

/** A fault that names a rule and what it counts. */
export function limitFault(entry: CatalogueEntry, rule: LimitRule, retryAfterMs: number | null): Fault {
  return new Fault(entry, {
    public: { limit: rule.name, meter: rule.meter },
    ...(retryAfterMs === null ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
  })
}
