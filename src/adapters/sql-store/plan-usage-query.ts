/**
 * Which stored sums answer a question: days where whole days lie in its time, hours and minutes at the edges.
 *
 *   from ─minutes─┤─hours─┤──────── days ────────├─hours─┤─minutes─ to
 *
 * Exact: the parts neither overlap nor leave a gap, and an interval is never cut by a coarser sum than itself. Where
 * the finer sums of an edge are no longer kept, the time widens to the coarser ones, and the plan says so.
 */
import {
  type UsageQuery,
  type UsageResolution,
  usageResolutionMs,
  usageResolutions,
} from '../../ports/usage-store.ts'

export interface UsagePart {
  readonly resolution: UsageResolution
  readonly from: number
  readonly to: number
}

export interface UsagePlan {
  /** The time that is summed up. */
  readonly from: number
  readonly to: number
  readonly parts: readonly UsagePart[]
}

/** Since when the sums of each resolution are kept; days begin and end at UTC midnights, so these are such. */
export type UsageHorizons = Readonly<Record<UsageResolution, number>>

type Asked = Pick<UsageQuery, 'from' | 'to' | 'intervalMs' | 'resolution'>

/** Finest first. */
function allowedFor({ intervalMs, resolution }: Asked): readonly UsageResolution[] {
  if (resolution !== 'auto') return [resolution]
  return usageResolutions.filter((each) => intervalMs === null || intervalMs % usageResolutionMs[each] === 0)
}

const down = (time: number, unit: number): number => Math.floor(time / unit) * unit
const up = (time: number, unit: number): number => Math.ceil(time / unit) * unit

function cover(from: number, to: number, coarsestFirst: readonly UsageResolution[]): UsagePart[] {
  const [resolution, ...finer] = coarsestFirst
  if (resolution === undefined || from >= to) return []
  const unit = usageResolutionMs[resolution]
  const [first, last] = [up(from, unit), down(to, unit)]
  if (first >= last) return cover(from, to, finer)
  return [...cover(from, first, finer), { resolution, from: first, to: last }, ...cover(last, to, finer)]
}

export function planUsageQuery(asked: Asked, horizons: UsageHorizons): UsagePlan {
  const allowed = allowedFor(asked)
  const unitAt = (time: number): number => {
    const kept = allowed.find((each) => horizons[each] <= time) ?? allowed.at(-1) ?? 'minute'
    return usageResolutionMs[kept]
  }
  // Nothing older is kept in any length that may answer.
  const oldest = Math.min(...allowed.map((each) => horizons[each]))
  const to = up(asked.to, unitAt(asked.to))
  const start = Math.max(asked.from, oldest)
  const from = Math.min(to, down(start, unitAt(start)))
  return { from, to, parts: cover(from, to, allowed.toReversed()) }
}
