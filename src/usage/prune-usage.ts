/** Removes sums past their time, each resolution after its own, in short transactions. */
import {
  type UsageResolution,
  type UsageStore,
  usageResolutionMs,
  usageResolutions,
} from '../ports/usage-store.ts'

/** How long sums are kept, milliseconds; never shorter than a finer one. */
export type UsageRetention = Readonly<Record<UsageResolution, number>>

const dayMs = usageResolutionMs.day
export const defaultUsageRetention: UsageRetention = Object.freeze({
  minute: 400 * dayMs,
  hour: 800 * dayMs,
  day: 3650 * dayMs,
})

const rowsPerPrune = 200

/** Returns how many sums went. */
export async function pruneUsage(store: UsageStore, retention: UsageRetention, now: number): Promise<number> {
  let total = 0
  for (const resolution of usageResolutions) {
    const before = now - retention[resolution]
    if (before > 0) total += await pruneResolution(store, resolution, before)
  }
  return total
}

async function pruneResolution(
  store: UsageStore,
  resolution: UsageResolution,
  before: number,
): Promise<number> {
  let total = 0
  for (;;) {
    const removed = await store.prune({ resolution, before, limit: rowsPerPrune })
    total += removed
    if (removed < rowsPerPrune) return total
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
