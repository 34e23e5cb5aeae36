/** Limits explain themselves from what the store holds now. */
import { systemClock } from '../kernel/clock.ts'
import { compileLimits, explainLimits, type LimitExplanation, type LimitRequest } from '../limits/index.ts'
import type { Store } from '../ports/store.ts'
import { limitSnapshots } from '../publishing/index.ts'

/** Standings are not read here: whoever counts on this node, or the shared counters, know them. */
export async function explainFromStore(
  store: Store,
  requests: readonly LimitRequest[],
): Promise<readonly (readonly LimitExplanation[])[]> {
  const now = systemClock.now()
  const { limits, plans, topUps } = limitSnapshots(await store.loadConfiguration(), now)
  const compiled = compileLimits(limits, plans, topUps)
  return requests.map((request) => explainLimits(compiled, request, { now, standingOf: () => null }))
}
