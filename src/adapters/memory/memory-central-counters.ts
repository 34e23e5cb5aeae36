/**
 * Shared counters in this process's memory: for tests, and the plainest reading of the port. Nodes are opened on one
 * store. Bounds: `maxCounters`; beyond it calls are refused, because to forget a counter would lift its limit.
 */
import type {
  CentralCounters,
  CounterEntry,
  CounterKey,
  CounterStanding,
  CounterTerms,
  LeaseGrant,
  LeasePart,
  LeaseRequest,
  TakeOutcome,
} from '../../ports/central-counters.ts'
import {
  type CounterState,
  drain,
  grantLease,
  keepMsOf,
  settleLease,
  shift,
  standingOf,
  storedKeyOf,
  takeAll,
} from '../../ports/central-counters-arithmetic.ts'

export interface MemoryCountersOptions {
  /** Unix milliseconds. */
  readonly now: () => number
  readonly ttlMs: number
  readonly maxCounters?: number
}

interface Counter extends CounterState {
  terms: CounterTerms
  /** Node → units of its leases or holds. */
  readonly leases: Map<string, number>
}

const defaultMaxCounters = 1_000_000

class MemoryCounterStore {
  readonly #now: () => number
  readonly #maxCounters: number
  readonly #counters = new Map<string, Counter>()
  /** Node → its last report. */
  readonly #reports = new Map<string, string>()
  /** Node → when it renewed last. */
  readonly #nodes = new Map<string, number>()
  readonly ttlMs: number

  constructor(options: MemoryCountersOptions) {
    this.#now = options.now
    this.#maxCounters = options.maxCounters ?? defaultMaxCounters
    this.ttlMs = options.ttlMs
  }

  /** The counter as it stands now; made where it is not there. */
  counter({ key, terms }: CounterKey): Counter {
    const name = storedKeyOf(key, terms)
    let counter = this.#counters.get(name)
    if (counter === undefined) {
      if (this.#counters.size >= this.#maxCounters) this.#makeRoom()
      counter = { units: 0, at: this.#now(), terms, leases: new Map() }
      this.#counters.set(name, counter)
    }
    counter.terms = terms
    drain(counter, terms, this.#now())
    return counter
  }

  /** Notes that `node` lives, ends the leases of those that do not, and says how many live. */
  live(node: string): number {
    const now = this.#now()
    for (const [other, seenAt] of this.#nodes) if (now - seenAt > this.ttlMs) this.forget(other)
    this.#nodes.set(node, now)
    return this.#nodes.size
  }

  forget(node: string): void {
    this.#nodes.delete(node)
    for (const counter of this.#counters.values()) {
      if (counter.terms.kind === 'concurrency') shift(counter, -(counter.leases.get(node) ?? 0))
      counter.leases.delete(node)
    }
  }

  /** False: the node's last report was this one. */
  isNews(node: string, report: string | undefined): boolean {
    if (report === undefined) return true
    if (this.#reports.get(node) === report) return false
    this.#reports.set(node, report)
    return true
  }

  #makeRoom(): void {
    const now = this.#now()
    for (const [name, counter] of this.#counters) {
      const keepMs = keepMsOf(counter, counter.terms, counter.leases.size > 0)
      if (now - counter.at >= keepMs) this.#counters.delete(name)
    }
    if (this.#counters.size >= this.#maxCounters) throw new RangeError('too many counters')
  }
}

class MemoryCentralCounters implements CentralCounters {
  readonly takesReportsOnce = true
  readonly #store: MemoryCounterStore
  readonly #node: string

  constructor(store: MemoryCounterStore, node: string) {
    this.#store = store
    this.#node = node
  }

  async take(entries: readonly CounterEntry[]): Promise<TakeOutcome> {
    this.#store.live(this.#node)
    const demands = entries.map((entry) => ({
      state: this.#store.counter(entry),
      terms: entry.terms,
      units: entry.units,
    }))
    const outcome = takeAll(demands)
    if (outcome.taken) for (const { state, terms, units } of demands) this.#hold(state, terms, units)
    return outcome
  }

  async adjust(entries: readonly CounterEntry[], report?: string): Promise<void> {
    this.#store.live(this.#node)
    if (!this.#store.isNews(this.#node, report)) return
    for (const { key, terms, units } of entries) {
      const counter = this.#store.counter({ key, terms })
      const change =
        terms.kind === 'concurrency' ? Math.max(units, -(counter.leases.get(this.#node) ?? 0)) : units
      shift(counter, change)
      this.#hold(counter, terms, change)
    }
  }

  async lease(requests: readonly LeaseRequest[]): Promise<readonly LeaseGrant[]> {
    const nodes = this.#store.live(this.#node)
    return requests.map((request) => {
      const counter = this.#store.counter(request)
      const grant = grantLease(counter, request.terms, request)
      this.#setLease(counter, (counter.leases.get(this.#node) ?? 0) + grant.units)
      return { ...grant, ttlMs: this.#store.ttlMs, nodes }
    })
  }

  async settle(parts: readonly LeasePart[], report?: string): Promise<void> {
    this.#store.live(this.#node)
    if (!this.#store.isNews(this.#node, report)) return
    for (const { key, terms, spent, returned } of parts) {
      const counter = this.#store.counter({ key, terms })
      const outstanding = counter.leases.get(this.#node) ?? 0
      this.#setLease(counter, settleLease(counter, terms, { outstanding, spent, returned }))
    }
  }

  async renew(): Promise<number> {
    return this.#store.live(this.#node)
  }

  async forget(): Promise<void> {
    this.#store.forget(this.#node)
  }

  async read(keys: readonly CounterKey[]): Promise<readonly CounterStanding[]> {
    return keys.map((key) => standingOf(this.#store.counter(key), key.terms))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #hold(counter: Counter, terms: CounterTerms, units: number): void {
    if (terms.kind === 'concurrency') this.#setLease(counter, (counter.leases.get(this.#node) ?? 0) + units)
  }

  #setLease(counter: Counter, units: number): void {
    if (units > 0) counter.leases.set(this.#node, units)
    else counter.leases.delete(this.#node)
  }
}

/** A store, and the way for nodes to open it. */
export function createMemoryCounterStore(options: MemoryCountersOptions): {
  open(node: string): CentralCounters
} {
  const store = new MemoryCounterStore(options)
  return { open: (node) => new MemoryCentralCounters(store, node) }
}
