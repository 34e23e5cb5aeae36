/**
 * Tells the central counters what this node did with its leases: units that were spent, units that nobody used for a
 * second, debts of the time when the store was out of reach. One thread of the node runs it (the control thread); it
 * finds what to tell in the shared memory, so that nothing is lost with a worker.
 *
 * A report whose answer is lost is sent again (`lease-teller.ts`): nothing is missed, and budgets count nothing twice.
 */
import type { Clock } from '../kernel/clock.ts'
import type { TimerHandle, TimerWheel } from '../kernel/timer-wheel.ts'
import type { CentralCounters } from '../ports/central-counters.ts'
import type { LeaseReport, NodeCounters } from '../ports/node-counters.ts'
import { LeaseTeller } from './lease-teller.ts'

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
  readonly #calendar: LeaseTeller | null
  /** The same where one store has both: it knows one last report of a node. */
  readonly #rates: LeaseTeller | null
  #timer: TimerHandle | null = null
  #isClosed = false
  #renewedAt = 0
  #last: Promise<boolean> = Promise.resolve(true)
  /** Most nodes heard of since there are fewer than are known, and since when that is. */
  #fewer: { most: number; readonly since: number } | null = null

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
    const { calendarCounters, rateCounters } = options
    this.#calendar = calendarCounters === null ? null : new LeaseTeller(calendarCounters, options)
    this.#rates =
      rateCounters === null || rateCounters === calendarCounters
        ? rateCounters && this.#calendar
        : new LeaseTeller(rateCounters, options)
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
    const { counters, clock } = this.#options
    const tellers = new Set([this.#calendar, this.#rates].filter((teller) => teller !== null))
    if (tellers.size === 0) return true
    const caughtUp = await Promise.all([...tellers].map(async (teller) => [teller, await teller.catchUp()]))
    const reachable = new Set(caughtUp.filter(([, isCaughtUp]) => isCaughtUp).map(([teller]) => teller))
    if (reachable.size === 0) return false
    // What is taken out of a balance must be told: nothing is, while a store cannot be told anything new.
    const isAll = reachable.size === tellers.size
    const reports = counters.collect(clock.now(), isAll ? idleMs : Number.POSITIVE_INFINITY)
    const tellerOf = ({ terms }: LeaseReport) => (terms.kind === 'calendar' ? this.#calendar : this.#rates)
    const told = await Promise.all(
      [...tellers]
        .filter((teller) => reachable.has(teller))
        .map((teller) => teller.tell(reports.filter((report) => tellerOf(report) === teller))),
    )
    return isAll && told.every(Boolean)
  }
}
