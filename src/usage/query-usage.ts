/** Questions to the stored sums. */
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import {
  latencyBoundsMs,
  type UsageDimensions,
  type UsageResolution,
  type UsageResult,
  type UsageStore,
  usageResolutionMs,
  usageRowLimit,
} from '../ports/usage-store.ts'

const minuteMs = usageResolutionMs.minute
/** Points of a time line, so that one question cannot ask for millions of rows. */
const maxIntervals = 5000
const maxGroups = 4

export interface UsageQuestion {
  /** Null: all organizations; for operators of the installation only. */
  readonly organizationId: string | null
  /** Unix milliseconds; `from` inclusive, `to` exclusive, widened to whole minutes. */
  readonly from: number
  readonly to: number
  readonly groupBy?: readonly (keyof UsageDimensions)[]
  readonly filter?: Readonly<Partial<UsageDimensions>>
  readonly limit?: number
  /** As in `UsageQuery`; `auto` when left out. */
  readonly resolution?: UsageResolution | 'auto'
}

function refuse(param: string, reason: string): Fault {
  return new Fault(faults.validation, { public: { reason }, param })
}

function ask(store: UsageStore, question: UsageQuestion, intervalMs: number | null): Promise<UsageResult> {
  const { organizationId, from, to, groupBy = [], filter = {}, limit = 1000, resolution = 'auto' } = question
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from >= to) {
    throw refuse('from', 'from must lie before to, both in Unix milliseconds')
  }
  if (groupBy.length > maxGroups) throw refuse('groupBy', `at most ${maxGroups} dimensions`)
  if (!Number.isInteger(limit) || limit < 1 || limit > usageRowLimit) {
    throw refuse('limit', `limit must be between 1 and ${usageRowLimit}`)
  }
  if (intervalMs !== null && resolution !== 'auto' && intervalMs % usageResolutionMs[resolution] !== 0) {
    throw refuse('resolution', 'the interval must be a multiple of the resolution')
  }
  return store.query({ organizationId, from, to, groupBy, filter, intervalMs, limit, resolution })
}

/** Sums over the whole time, one row per group. Throws `faults.validation`. */
export async function usageSummary(store: UsageStore, question: UsageQuestion): Promise<UsageResult> {
  return ask(store, question, null)
}

/** Sums per interval and group. `intervalMs` is a multiple of a minute. Intervals without usage have no row. */
export async function usageSeries(
  store: UsageStore,
  question: UsageQuestion & { readonly intervalMs: number },
): Promise<UsageResult> {
  const { intervalMs, from, to } = question
  const isWhole = Number.isSafeInteger(intervalMs) && intervalMs >= minuteMs && intervalMs % minuteMs === 0
  if (!isWhole) throw refuse('intervalMs', 'the interval must be a multiple of a minute')
  if ((to - from) / intervalMs > maxIntervals) throw refuse('intervalMs', `at most ${maxIntervals} intervals`)
  return ask(store, question, intervalMs)
}

/**
 * Upper estimate of a latency quantile (0 to 1) from a histogram, milliseconds: the bound of the bucket in which
 * it falls. Infinity above the last bound, null without requests.
 */
export function latencyQuantile(latency: readonly number[], quantile: number): number | null {
  const total = latency.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let seen = 0
  for (const [index, count] of latency.entries()) {
    seen += count
    if (seen >= quantile * total) return latencyBoundsMs[index] ?? Number.POSITIVE_INFINITY
  }
  return Number.POSITIVE_INFINITY
}
