/** For tests: nodes that share central counters in memory, over connections that break, delay and lose answers. */
import { createMemoryCounterStore } from '../../adapters/memory/memory-central-counters.ts'
import type { LimitRule } from '../../domain/limits.ts'
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import type { CentralCounters, CounterTerms } from '../../ports/central-counters.ts'
import type { NodeCounters } from '../../ports/node-counters.ts'
import { compileLimits } from '../compile-limits.ts'
import { createLeaseKeeper, type LeaseKeeper } from '../lease-keeper.ts'
import { createLimiter } from '../limiter.ts'
import { FakeTime } from './fake-time.ts'
import { type Client, noon, openNode } from './samples.ts'

export const leaseTtlMs = 5000

/** How a node's calls go. */
export interface Line {
  /** Calls are refused without reaching the store. */
  isDown: boolean
  /** Its node was killed: answers to what it had asked reach nobody. */
  isDead: boolean
  /** The next call reaches the store, but its answer is lost. */
  losesNext: boolean
  /** Units of which the store and the node may think differently, because an answer was lost. */
  unsure: number
  calls: number
}

export interface ClusterNode extends Client {
  readonly counters: NodeCounters
  readonly keeper: LeaseKeeper
  readonly line: Line
  readonly isAlive: boolean
  /** As kill -9: nothing is told to anybody. */
  kill(): void
}

export interface ClusterNodeOptions {
  /** Draws the pauses of a node; 0 to 1. */
  readonly random?: number
  /** Nodes that its data directory says there were. */
  readonly nodesBefore?: number
}

export interface Cluster {
  readonly time: FakeTime
  start(name: string, options?: ClusterNodeOptions): ClusterNode
  /** The store comes back without what it knew. */
  empty(): void
  /** What the central counter has counted. */
  usedOf(key: string, terms: CounterTerms): Promise<number>
}

export function createCluster(rules: readonly LimitRule[]): Cluster {
  const time = new FakeTime(noon)
  const open = () => createMemoryCounterStore({ now: () => time.now(), ttlMs: leaseTtlMs })
  let store = open()
  return {
    time,
    start: (name, options = {}) => startNode(rules, { ...options, time, open: () => store.open(name) }),
    empty() {
      store = open()
    },
    async usedOf(key, terms) {
      const [standing] = await store.open('observer').read([{ key, terms }])
      return (terms.kind === 'rolling' ? terms.burst : terms.amount) - (standing?.remaining ?? Number.NaN)
    },
  }
}

interface Surroundings extends ClusterNodeOptions {
  readonly time: FakeTime
  /** The store that is there now. */
  readonly open: () => CentralCounters
}

function startNode(
  rules: readonly LimitRule[],
  { time, open, random = 0.5, nodesBefore }: Surroundings,
): ClusterNode {
  const line: Line = { isDown: false, isDead: false, losesNext: false, unsure: 0, calls: 0 }
  const central = breakable(open, line)
  const counters = openNode({ slots: 256, tickets: 256 })(0)
  if (nodesBefore !== undefined) counters.noteNodes(nodesBefore)
  let isAlive = true
  const timers: TimerWheel = {
    set: (delayMs, fire) =>
      time.set(delayMs, () => {
        if (isAlive) fire()
      }),
    stop: () => {},
  }
  const shared = { counters, calendarCounters: central, rateCounters: central, clock: time, timers }
  return {
    limiter: createLimiter({ ...shared, random: () => random }),
    limits: compileLimits(rules, [], []),
    counters,
    keeper: createLeaseKeeper(shared),
    line,
    get isAlive() {
      return isAlive
    },
    kill() {
      isAlive = false
      line.isDown = true
      line.isDead = true
    },
  }
}

function breakable(open: () => CentralCounters, line: Line): CentralCounters {
  const call = async <Answer>(
    units: (answer: Answer) => number,
    ask: () => Promise<Answer>,
  ): Promise<Answer> => {
    line.calls += 1
    if (line.isDown) throw new Error('no connection')
    const answer = await ask()
    if (!line.losesNext && !line.isDead) return answer
    line.losesNext = false
    line.unsure += units(answer)
    throw new Error('connection lost')
  }
  return {
    takesReportsOnce: true,
    take: (entries) =>
      call(
        () => sum(entries.map(({ units }) => units)),
        () => open().take(entries),
      ),
    adjust: (entries, report) =>
      call(
        () => 0,
        () => open().adjust(entries, report),
      ),
    lease: (requests) =>
      call(
        (grants) => sum(grants.map(({ units }) => units)),
        () => open().lease(requests),
      ),
    settle: (parts, report) =>
      call(
        () => 0,
        () => open().settle(parts, report),
      ),
    renew: () =>
      call(
        () => 0,
        () => open().renew(),
      ),
    forget: () =>
      call(
        () => 0,
        () => open().forget(),
      ),
    read: (keys) =>
      call(
        () => 0,
        () => open().read(keys),
      ),
    close: () => open().close(),
  }
}

function sum(units: readonly number[]): number {
  return units.reduce((total, each) => total + each, 0)
}
