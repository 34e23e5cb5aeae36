/**
 * Limits explain themselves: rules from what the store holds now, standings from where each counter is. Shared
 * counters are read in one call; what this node has leased of them and not spent yet is still there to be used.
 */
import type { CounterStores } from '../adapters/thread-counters/thread-central-counters.ts'
import { systemClock } from '../kernel/clock.ts'
import {
  compileLimits,
  explainLimits,
  type LimitCounter,
  type LimitExplanation,
  type LimitRequest,
  limitCountersOf,
  readNodeStanding,
} from '../limits/index.ts'
import type { CentralCounters, CounterStanding } from '../ports/central-counters.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import type { Store } from '../ports/store.ts'
import { limitSnapshots } from '../publishing/index.ts'

export interface LiveCounters {
  readonly stores: CounterStores
  readonly node: NodeCounters
}

export async function explainLiveLimits(
  store: Store,
  live: LiveCounters,
  requests: readonly LimitRequest[],
): Promise<readonly (readonly LimitExplanation[])[]> {
  const now = systemClock.now()
  const { limits, plans, topUps } = limitSnapshots(await store.loadConfiguration(), now)
  const compiled = compileLimits(limits, plans, topUps)
  const counters = requests.flatMap((request) => limitCountersOf(compiled, request, now))
  const standings = await readStandings(live, counters, now)
  const standingOf = (key: string): CounterStanding | null => standings.get(key) ?? null
  return requests.map((request) => explainLimits(compiled, request, { now, standingOf }))
}

/** What cannot be read is left out: an explanation without figures is better than none. */
async function readStandings(
  live: LiveCounters,
  counters: readonly LimitCounter[],
  now: number,
): Promise<ReadonlyMap<string, CounterStanding>> {
  const standings = new Map<string, CounterStanding>()
  const { calendar, rates } = live.stores
  const shared = (isCalendar: boolean): LimitCounter[] =>
    counters.filter(({ terms }) => (terms.kind === 'calendar') === isCalendar)
  const kinds = [
    [calendar, shared(true)],
    [rates, shared(false)],
  ] as const
  for (const [store, group] of kinds) {
    if (store === null)
      for (const each of group) standings.set(each.key, readNodeStanding(live.node, each, now))
    else await readShared({ store, node: live.node }, group, standings)
  }
  return standings
}

async function readShared(
  { store, node }: { readonly store: CentralCounters; readonly node: NodeCounters },
  counters: readonly LimitCounter[],
  standings: Map<string, CounterStanding>,
): Promise<void> {
  if (counters.length === 0) return
  try {
    const read = await store.read(counters)
    for (const [at, { key, terms, rule }] of counters.entries()) {
      const standing = read[at]
      if (standing === undefined) continue
      const startsAt = terms.kind === 'calendar' ? terms.startsAt : 0
      const counter = node.counter({ key, startsAt, group: rule.organizationId, leased: true })
      const leased = Math.max(0, node.readLease(counter)?.balance ?? 0)
      standings.set(key, { ...standing, remaining: standing.remaining + leased })
    }
  } catch {
    // The shared counters say themselves that they cannot be reached.
  }
}
