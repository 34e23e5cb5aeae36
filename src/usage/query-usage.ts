/** Questions to the stored sums. */
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import {
  latencyBoundsMs,
  type UsageDimensions,
  type UsageGroup,
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
/** Groups that a time line may be narrowed to. */
export const maxTopGroups = 100

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
  /** Only these groups; all when left out. */
  readonly groups?: readonly UsageGroup[]
}

function refuse(param: string, reason: string): Fault {
  return new Fault(faults.validation, { public: { reason }, param })
}

function ask(store: UsageStore, question: UsageQuestion, intervalMs: number | null): Promise<UsageResult> {
  const { organizationId, from, to, groupBy = [], filter = {}, limit = 1000, resolution = 'auto' } = question
  const { groups } = question
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from >= to) {
    throw refuse('from', 'from must lie before to, both in Unix milliseconds')
  }
  if (groupBy.length > maxGroups) throw refuse('groupBy', `at most ${maxGroups} dimensions`)
  if (!Number.isInteger(limit) || limit < 1 || limit > usageRowLimit) {
    throw refuse('limit', `limit must be between 1 and ${usageRowLimit}`)
  }
  checkUsageInterval(intervalMs, resolution)
  const narrowed = groups === undefined ? {} : { groups }
  return store.query({
    organizationId,
    from,
    to,
    groupBy,
    filter,
    intervalMs,
    limit,
    resolution,
    ...narrowed,
  })
}

/** @throws Fault where an interval would cut a stored sum */
export function checkUsageInterval(intervalMs: number | null, resolution: UsageResolution | 'auto'): void {
  if (intervalMs === null || resolution === 'auto' || intervalMs % usageResolutionMs[resolution] === 0) return
  throw refuse('resolution', 'the interval must be a multiple of the resolution')
}

/** The groups with most requests over the whole time. Throws `faults.validation`. */
export async function usageTopGroups(
  store: UsageStore,
  question: UsageQuestion,
  top: number,
): Promise<readonly UsageGroup[]> {
  if ((question.groupBy ?? []).length === 0) throw refuse('top', 'top goes with groupBy')
  if (!Number.isInteger(top) || top < 1 || top > maxTopGroups) {
    throw refuse('top', `top must be between 1 and ${maxTopGroups}`)
  }
  const { rows } = await ask(store, { ...question, limit: top }, null)
  return rows.map(({ group }) => group)
}

/** Sums over the whole time, one row per group. Throws `faults.validation`. */
export async function usageSummary(store: UsageStore, question: UsageQuestion): Promise<UsageResult> {
  return ask(store, question, null)
}

/**
 * Sums per interval and group. `intervalMs` is a multiple of a minute. Intervals without usage have no row. `top`: only
 * the groups with most requests over the whole time; null: all.
 */
export async function usageSeries(
  store: UsageStore,
  question: UsageQuestion & { readonly intervalMs: number; readonly top?: number | null },
): Promise<UsageResult> {
  const { intervalMs, from, to, top = null } = question
  const isWhole = Number.isSafeInteger(intervalMs) && intervalMs >= minuteMs && intervalMs % minuteMs === 0
  if (!isWhole) throw refuse('intervalMs', 'the interval must be a multiple of a minute')
  if ((to - from) / intervalMs > maxIntervals) throw refuse('intervalMs', `at most ${maxIntervals} intervals`)
  if (top === null) return ask(store, question, intervalMs)
  const groups = await usageTopGroups(store, question, top)
  return ask(store, { ...question, groups }, intervalMs)
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
