/**
 * Fetches units from the central counters for one thread. Wants of one counter that come while a call for it is under
 * way are put together into the next. Out of reach, it answers at once, and asks in the background, with growing and
 * scattered pauses, until the central counters are back: no exchange waits for a store that is down, and nobody
 * storms one that has come back.
 *
 *   heard ──a call fails──▶ lost ──a probe succeeds──▶ returning ──returnMs──▶ heard
 *
 * While it returns, other nodes may not have noticed yet and still admit their shares: what is fetched is bounded by
 * this node's share too (the limiter's part), and nothing is fetched ahead. Every desk notices within `returnMs`. The
 * number of nodes in the register does not say so: a node counts there before each of its threads has noticed.
 *
 * How much is fetched (N nodes): 2 % of the amount, divided by N, or what is asked for where that is more. When the
 * central counter has less left than N such leases, or the amount is too small for any, exactly what is asked for, so
 * that the last units are not scattered among the nodes.
 */
import type { Clock } from '../kernel/clock.ts'
import type { TimerWheel } from '../kernel/timer-wheel.ts'
import type { CentralCounters, CounterTerms, LeaseGrant } from '../ports/central-counters.ts'
import type { CounterPlace, NodeCounters } from '../ports/node-counters.ts'

export type LeaseAnswer = 'granted' | 'refused' | 'lost'

export interface WantedPlace extends CounterPlace {
  readonly key: string
}

export interface LeaseDesk {
  /** Get at least `units`, for this caller and now. */
  obtain(place: WantedPlace, units: number, done: (answer: LeaseAnswer) => void): void
  /** Get units before they are needed, where less than 30 % of a lease is left. */
  fetchAhead(place: WantedPlace, balance: number): void
  /** Nodes that share the counters; null: not known, the central counters were never heard. */
  readonly nodes: number | null
  /** Nodes among which a rate is shared out while the central counters are lost, and while this node returns. */
  readonly shareNodes: number
  /** The central counters are back, but maybe not yet for every node. */
  readonly isReturning: boolean
}

export interface LeaseDeskOptions {
  readonly central: CentralCounters
  readonly counters: NodeCounters
  readonly clock: Clock
  readonly timers: TimerWheel
  readonly random: () => number
  /** A call that takes longer counts as lost. */
  readonly timeoutMs: number
}

const leaseShare = 0.02
const fetchBelowShare = 0.3
/** A refusal is remembered no longer than this: other nodes give back what they do not use. */
const maxDryMs = 1000
const maxWaiting = 10_000
const minProbeMs = 200
const maxProbeMs = 1000
/** The longest pause of a probe, and as much for the connection behind it, and what calls take. */
const returnMs = 2500
const maxKeysPerCall = 256

/** `units`: what all who wait need; 0: nobody waits. `least`: what serves one of them. */
interface Want {
  readonly place: WantedPlace
  units: number
  least: number
  readonly waiting: ((answer: LeaseAnswer) => void)[]
}

interface Call {
  readonly want: Want
  readonly wanted: number
  readonly least: number
}

export function createLeaseDesk(options: LeaseDeskOptions): LeaseDesk {
  return new Desk(options)
}

class Desk implements LeaseDesk {
  readonly #options: LeaseDeskOptions
  readonly #wants = new Map<string, Want>()
  /** Names of counters for which a call is under way. */
  readonly #asked = new Set<string>()
  #waiting = 0
  #isScheduled = false
  #isLost = false
  #probeMs = minProbeMs
  /** Null until the central counters said so. */
  #nodes: number | null = null
  #returnsUntil = Number.NEGATIVE_INFINITY

  constructor(options: LeaseDeskOptions) {
    this.#options = options
  }

  get nodes(): number | null {
    return this.#nodes
  }

  get shareNodes(): number {
    return Math.max(this.#nodes ?? 1, this.#options.counters.nodes ?? 1)
  }

  get isReturning(): boolean {
    return this.#options.clock.monotonic() < this.#returnsUntil && this.shareNodes > 1
  }

  obtain(place: WantedPlace, units: number, done: (answer: LeaseAnswer) => void): void {
    if (this.#isLost || this.#waiting >= maxWaiting) return done('lost')
    const want = this.#wantOf(place)
    want.least = want.waiting.length === 0 ? units : Math.min(want.least, units)
    want.units += units
    want.waiting.push(done)
    this.#waiting += 1
    this.#schedule()
  }

  fetchAhead(place: WantedPlace, balance: number): void {
    const lease = this.#leaseOf(place.terms)
    if (this.#isLost || balance >= lease * fetchBelowShare) return
    const { clock, counters, timeoutMs } = this.#options
    const now = clock.now()
    // Nothing begins in a period that is over; what is owed there is debited.
    if (place.terms.kind === 'calendar' && place.terms.endsAt <= now) return
    const reading = counters.readLease(place.counter)
    if (reading !== null && reading.dryUntil > now) return
    // Near the end units are fetched as they are asked for; debts are covered all the same.
    if (balance >= 0 && this.#isScarce(reading?.centralLeft ?? null, lease)) return
    if (!counters.claimFetch(place.counter, now, now + timeoutMs)) return
    this.#wantOf(place)
    this.#schedule()
  }

  /** 0: units are fetched as they are asked for, because the amount is small or the other nodes are not known yet. */
  #leaseOf(terms: CounterTerms): number {
    return this.#nodes === null || this.isReturning
      ? 0
      : Math.floor((terms.amount * leaseShare) / this.#nodes)
  }

  #isScarce(centralLeft: number | null, lease: number): boolean {
    return lease === 0 || (centralLeft !== null && centralLeft < lease * (this.#nodes ?? 1))
  }

  #wantOf(place: WantedPlace): Want {
    const name = nameOf(place)
    let want = this.#wants.get(name)
    if (want === undefined) {
      want = { place, units: 0, least: 1, waiting: [] }
      this.#wants.set(name, want)
    }
    return want
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#send()
    })
  }

  #send(): void {
    const batch: Call[] = []
    const served: Want[] = []
    for (const [name, want] of this.#wants) {
      if (this.#asked.has(name)) continue
      if (batch.length === maxKeysPerCall) {
        this.#schedule()
        break
      }
      this.#wants.delete(name)
      const call = this.#callOf(want)
      if (call === null) served.push(want)
      else {
        this.#asked.add(name)
        batch.push(call)
      }
    }
    if (batch.length > 0) this.#call(batch)
    for (const want of served) this.#tell(want, 'granted')
  }

  /** Null: a lease that came meanwhile has enough. */
  #callOf(want: Want): Call | null {
    const { place, units, least } = want
    const reading = this.#options.counters.readLease(place.counter)
    const balance = reading?.balance ?? 0
    const lease = this.#leaseOf(place.terms)
    const isScarce = this.#isScarce(reading?.centralLeft ?? null, lease)
    const wanted = (isScarce ? units : Math.max(units, lease)) - balance
    if (balance >= units && (isScarce || balance >= lease * fetchBelowShare)) return null
    return { want, wanted, least: Math.max(1, least - Math.max(0, balance)) }
  }

  #call(batch: readonly Call[]): void {
    const { central, timers, timeoutMs } = this.#options
    const answer = once((grants: readonly LeaseGrant[] | null) => this.#finish(batch, grants))
    const timeout = timers.set(timeoutMs, () => answer(null))
    const requests = batch.map(({ want, wanted, least }) => ({
      key: want.place.key,
      terms: want.place.terms,
      wanted,
      least,
    }))
    central.lease(requests).then(
      (grants) => {
        timeout.clear()
        // Also when they come too late: they are debited.
        this.#credit(batch, grants)
        answer(grants)
      },
      () => {
        timeout.clear()
        answer(null)
      },
    )
  }

  #credit(batch: readonly Call[], grants: readonly LeaseGrant[]): void {
    const { clock, counters } = this.#options
    const now = clock.now()
    for (const [index, { want, least }] of batch.entries()) {
      const grant = grants[index]
      if (grant === undefined) continue
      this.#nodes = Math.max(1, grant.nodes)
      const dryMs = grant.units > 0 ? 0 : Math.min(maxDryMs, grant.retryAfterMs ?? maxDryMs)
      const credit = {
        units: grant.units,
        centralLeft: grant.standing.remaining,
        centralResetAt: now + grant.standing.resetMs,
        dryUntil: now + dryMs,
        dryUnits: least,
      }
      counters.credit(want.place, credit, now)
    }
  }

  #finish(batch: readonly Call[], grants: readonly LeaseGrant[] | null): void {
    if (grants === null) this.#lose()
    for (const { want } of batch) this.#asked.delete(nameOf(want.place))
    for (const [index, { want }] of batch.entries()) {
      this.#tell(want, grants === null ? 'lost' : (grants[index]?.units ?? 0) > 0 ? 'granted' : 'refused')
    }
    if (this.#wants.size > 0) this.#schedule()
  }

  #tell({ waiting }: Want, answer: LeaseAnswer): void {
    this.#waiting -= waiting.length
    for (const done of waiting) done(answer)
  }

  #lose(): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#probeMs = minProbeMs
    this.#probeLater()
    // Whoever queued behind the lost call need not wait for another.
    const queued = [...this.#wants.values()]
    this.#wants.clear()
    for (const want of queued) this.#tell(want, 'lost')
  }

  #probeLater(): void {
    const { central, clock, timers, timeoutMs, random } = this.#options
    timers.set(this.#probeMs * (0.5 + random() / 2), () => {
      this.#probeMs = Math.min(maxProbeMs, this.#probeMs * 2)
      const answer = once((nodes: number | null) => {
        if (nodes === null) return this.#probeLater()
        this.#nodes = Math.max(1, nodes)
        this.#isLost = false
        this.#returnsUntil = clock.monotonic() + returnMs
      })
      const timeout = timers.set(timeoutMs, () => answer(null))
      central.renew().then(
        (nodes) => {
          timeout.clear()
          answer(nodes)
        },
        () => {
          timeout.clear()
          answer(null)
        },
      )
    })
  }
}

function nameOf({ key, counter }: WantedPlace): string {
  return `${key}@${counter.startsAt}`
}

function once<Value>(act: (value: Value) => void): (value: Value) => void {
  let isDone = false
  return (value) => {
    if (isDone) return
    isDone = true
    act(value)
  }
}
