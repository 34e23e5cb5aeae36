/**
 * Tells the central counters what this node did with its leases: units that were spent, units that nobody used for a
 * second, debts of the time when the store was out of reach. One thread of the node runs it (the control thread); it
 * finds what to tell in the shared memory, so that nothing is lost with a worker.
 *
 * A report that may not have arrived is sent again: budgets may count a unit twice then, never miss one. Units that
 * are given back are not: when the answer is lost they count as spent.
 */
import type { Clock } from '../kernel/clock.ts'
import type { TimerHandle, TimerWheel } from '../kernel/timer-wheel.ts'
import type { CentralCounters, CounterEntry } from '../ports/central-counters.ts'
import type { LeaseReport, NodeCounters } from '../ports/node-counters.ts'

export interface LeaseKeeperOptions {
  readonly counters: NodeCounters
  readonly calendarCounters: CentralCounters | null
  readonly rateCounters: CentralCounters | null
  readonly clock: Clock
  readonly timers: TimerWheel
  /** How many nodes to share with is another number now; for who keeps it for the next start. */
  readonly nodesChanged?: (nodes: number) => void
}

export interface LeaseKeeper {
  /** Tell all there is to tell now. False: a store could not be reached. */
  flush(): Promise<boolean>
  /** Give everything back. To be called when no thread takes any more. */
  close(): Promise<boolean>
}

const flushEveryMs = 250
/** A lease that nobody uses for so long goes back with the next renewal. */
const idleLeaseMs = 500
/** The shortest time for which a store keeps a node's leases is three times this. */
const renewEveryMs = 1000
const sweepShare = 1 / 32
const maxPartsPerCall = 512
/**
 * More nodes count at once, fewer only when they have been fewer for so long: when the store is lost, nodes share by
 * this number, and a fleet that is stopped node by node must not leave its last ones with too small a one.
 */
const fewerNodesAfterMs = 600_000

/** Starts at once; ends with `close`. */
export function createLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  return new Keeper(options)
}

class Keeper implements LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  #timer: TimerHandle | null = null
  #isClosed = false
  #renewedAt = 0
  #last: Promise<boolean> = Promise.resolve(true)
  /** Most nodes heard of since there are fewer than are known, and since when that is. */
  #fewer: { most: number; readonly since: number } | null = null

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
    this.#flushLater()
  }

  flush(): Promise<boolean> {
    return this.#inTurn(() => this.#report(Number.POSITIVE_INFINITY))
  }

  close(): Promise<boolean> {
    this.#isClosed = true
    this.#timer?.clear()
    return this.#inTurn(() => this.#giveBack(0))
  }

  /** One after the other: a report stays in the counters until it is told, and must not be told by two. */
  #inTurn(act: () => Promise<boolean>): Promise<boolean> {
    this.#last = this.#last.then(act)
    return this.#last
  }

  #flushLater(): void {
    if (this.#isClosed) return
    this.#timer = this.#options.timers.set(flushEveryMs, () => {
      const { counters, clock } = this.#options
      counters.sweep(clock.now(), sweepShare)
      const isTime = clock.monotonic() - this.#renewedAt >= renewEveryMs
      const turn = isTime ? this.#inTurn(() => this.#giveBack(idleLeaseMs)) : this.flush()
      void turn.then(() => this.#flushLater())
    })
  }

  /**
   * Say that the node lives, and give back what it does not use: only to a store that has just answered, because
   * units whose return is lost count as spent.
   */
  async #giveBack(idleMs: number): Promise<boolean> {
    const { calendarCounters, rateCounters, clock } = this.#options
    this.#renewedAt = clock.monotonic()
    // A store that cannot be reached ends the leases by itself; they count as spent there.
    const renewed = await Promise.allSettled([calendarCounters?.renew(), rateCounters?.renew()])
    const isReached = renewed.every(({ status }) => status === 'fulfilled')
    const nodes = renewed.map((each) => (each.status === 'fulfilled' ? (each.value ?? 0) : 0))
    // A store that has just come back empty does not know of all yet.
    this.#countNodes(Math.max(...nodes))
    return (await this.#report(isReached ? idleMs : Number.POSITIVE_INFINITY)) && isReached
  }

  #countNodes(nodes: number): void {
    if (nodes < 1) return
    const { counters, clock, nodesChanged } = this.#options
    const known = counters.nodes ?? 0
    if (nodes < known) {
      this.#fewer ??= { most: nodes, since: clock.monotonic() }
      this.#fewer.most = Math.max(this.#fewer.most, nodes)
      if (clock.monotonic() - this.#fewer.since < fewerNodesAfterMs) return
    }
    const now = Math.max(nodes, this.#fewer?.most ?? 0)
    this.#fewer = null
    if (now === known) return
    counters.noteNodes(now)
    nodesChanged?.(now)
  }

  async #report(idleMs: number): Promise<boolean> {
    const { counters, clock, calendarCounters, rateCounters } = this.#options
    if (calendarCounters === null && rateCounters === null) return true
    const reports = counters.collect(clock.now(), idleMs)
    const isCalendar = (report: LeaseReport): boolean => report.terms.kind === 'calendar'
    const told = await Promise.all([
      this.#tell(calendarCounters, reports.filter(isCalendar)),
      this.#tell(
        rateCounters,
        reports.filter((report) => !isCalendar(report)),
      ),
    ])
    return told.every(Boolean)
  }

  async #tell(central: CentralCounters | null, reports: readonly LeaseReport[]): Promise<boolean> {
    if (central === null || reports.length === 0) return true
    try {
      for (const batch of batchesOf(reports)) await this.#settle(central, batch)
      const debts = reports.filter(({ debt }) => debt !== 0)
      for (const group of byHashTag(debts)) await this.#debit(central, group)
      return true
    } catch {
      // What was spent stays in the counters and is told with the next flush.
      return false
    }
  }

  async #settle(central: CentralCounters, batch: readonly LeaseReport[]): Promise<void> {
    const parts = batch.filter(({ spent, returned }) => spent > 0 || returned > 0)
    if (parts.length === 0) return
    await central.settle(parts.map(({ key, terms, spent, returned }) => ({ key, terms, spent, returned })))
    const now = this.#options.clock.now()
    for (const report of parts) this.#options.counters.reported(report, 'spent', now)
  }

  async #debit(central: CentralCounters, group: readonly LeaseReport[]): Promise<void> {
    await central.adjust(group.map(({ key, terms, debt }): CounterEntry => ({ key, terms, units: debt })))
    const now = this.#options.clock.now()
    for (const report of group) this.#options.counters.reported(report, 'debt', now)
  }
}

function batchesOf(reports: readonly LeaseReport[]): readonly (readonly LeaseReport[])[] {
  const batches: LeaseReport[][] = []
  for (let start = 0; start < reports.length; start += maxPartsPerCall) {
    batches.push(reports.slice(start, start + maxPartsPerCall))
  }
  return batches
}

/** Entries of one adjustment share their hash tag, the organization. */
function byHashTag(reports: readonly LeaseReport[]): Iterable<readonly LeaseReport[]> {
  return Map.groupBy(reports, ({ key }) => key.slice(0, key.indexOf('}') + 1)).values()
}
