/**
 * Exchanges that wait for units instead of being refused. One lane for each exhausted counter, so that nobody waits
 * behind those who need other units.
 *
 *   enter ─▶ lane of the counter ──turn──▶ next member tries ──┬─ admitted: served
 *              ▲  ▲                                            ├─ this counter again: the lane sleeps
 *              │  └ woken: by time, or units given back        ├─ another counter: moves to that lane
 *              └───────────────────────────────────────────────┴─ refused for good: leaves
 *
 * A lane has one timer, not a member: it is looked at when the counter said that units are there again, and at least
 * every `recheckMs`, because units that other threads and nodes give back are not heard of here.
 *
 * Bounds, per worker: `maxWaiting` members; of one application as many as its plan says, each as long as its plan says;
 * `servedAtOnce` members in one go of the event loop. A lane exists while somebody waits in it.
 */
import type { QueueTerms } from '../../domain/limits.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { TimerHandle, TimerWheel } from '../../kernel/timer-wheel.ts'
import { FairLane, type LaneMember } from './fair-lane.ts'

/** What a member that tried must wait for. */
export interface LaneClaim {
  /** Names the exhausted counter. */
  readonly lane: string
  /** Units of this counter that the member needs. */
  readonly cost: number
  /** Milliseconds until they can be there; null: nobody knows. */
  readonly retryAfterMs: number | null
}

/** `gone`: it was refused for good, or went away while it tried. */
export type TryOutcome = 'served' | 'gone' | LaneClaim

export interface QueueGuest {
  /** Application: whom the lanes are fair between, and whom `terms.maxLength` bounds. */
  readonly flow: string
  readonly weight: number
  /** Index of the priority class; 0 goes first. */
  readonly rank: number
  readonly terms: QueueTerms
  /** Take the units, or say what is missing; calls `done` once, now or later. */
  tryAgain(done: (outcome: TryOutcome) => void): void
  /** The units are taken: go on. */
  go(): void
  /** It has waited as long as its plan allows. */
  waitIsOver(): void
}

export interface QueueFigures {
  readonly waiting: number
  readonly entered: number
  readonly served: number
  /** Refused because the queue was full. */
  readonly full: number
  /** Waited in vain as long as the plan allows. */
  readonly overdue: number
}

export interface FairQueue {
  readonly figures: QueueFigures
  /** Somebody waits. */
  readonly isBusy: boolean
  /** Somebody waits in this lane. */
  has(lane: string): boolean
  /** False: the queue is full. */
  enter(guest: QueueGuest, claim: LaneClaim): boolean
  /** The guest goes away; harmless when it does not wait. */
  leave(guest: QueueGuest): void
  /** Units of this lane's counter were given back. */
  wake(lane: string): void
}

export interface QueueParts {
  readonly timers: TimerWheel
  readonly clock: Clock
  readonly maxWaiting?: number
}

const defaultMaxWaiting = 10_000
const recheckMs = 250
const servedAtOnce = 64

class Member implements LaneMember {
  readonly guest: QueueGuest
  readonly flow: string
  readonly weight: number
  readonly rank: number
  readonly enteredAt: number
  cost: number
  lane: Lane
  deadline: TimerHandle | null = null

  constructor(guest: QueueGuest, lane: Lane, { cost, now }: { cost: number; now: number }) {
    this.guest = guest
    this.flow = guest.flow
    this.weight = guest.weight
    this.rank = guest.rank
    this.enteredAt = now
    this.cost = cost
    this.lane = lane
  }
}

interface Lane {
  readonly name: string
  readonly order: FairLane<Member>
  /** Whose outcome is awaited. */
  trying: Member | null
  /** It was woken while the outcome was awaited, which may not know of the units yet. */
  wokenMeanwhile: boolean
  timer: TimerHandle | null
}

class Queue implements FairQueue {
  readonly #timers: TimerWheel
  readonly #clock: Clock
  readonly #maxWaiting: number
  readonly #lanes = new Map<string, Lane>()
  readonly #members = new Map<QueueGuest, Member>()
  /** Members by flow. */
  readonly #lengths = new Map<string, number>()
  /** Lanes whose turn it is; they take it together, outside of whatever woke them. */
  #due = new Set<Lane>()
  #entered = 0
  #served = 0
  #full = 0
  #overdue = 0

  constructor({ timers, clock, maxWaiting = defaultMaxWaiting }: QueueParts) {
    this.#timers = timers
    this.#clock = clock
    this.#maxWaiting = maxWaiting
  }

  get figures(): QueueFigures {
    return {
      waiting: this.#members.size,
      entered: this.#entered,
      served: this.#served,
      full: this.#full,
      overdue: this.#overdue,
    }
  }

  get isBusy(): boolean {
    return this.#members.size > 0
  }

  has(lane: string): boolean {
    return this.#lanes.has(lane)
  }

  enter(guest: QueueGuest, claim: LaneClaim): boolean {
    const length = this.#lengths.get(guest.flow) ?? 0
    if (length >= guest.terms.maxLength || this.#members.size >= this.#maxWaiting) {
      this.#full += 1
      return false
    }
    this.#entered += 1
    this.#lengths.set(guest.flow, length + 1)
    const lane = this.#laneOf(claim.lane)
    const now = this.#clock.monotonic()
    const member = new Member(guest, lane, { cost: claim.cost, now })
    this.#members.set(guest, member)
    member.deadline = this.#timers.set(guest.terms.maxWaitMs, () => this.#expire(member))
    lane.order.add(member)
    this.#sleep(lane, claim.retryAfterMs)
    // It goes before all that wait: units that did not suffice for them may suffice for it.
    if (lane.order.size > 1 && lane.order.next(now) === member) this.#turnSoon(lane)
    return true
  }

  leave(guest: QueueGuest): void {
    const member = this.#members.get(guest)
    if (member === undefined) return
    const { lane } = member
    lane.order.leave(member)
    this.#forget(member)
    // Whoever stood behind may need less.
    if (lane.order.size > 0) this.#turnSoon(lane)
  }

  wake(name: string): void {
    const lane = this.#lanes.get(name)
    if (lane !== undefined) this.#turnSoon(lane)
  }

  #expire(member: Member): void {
    this.#overdue += 1
    this.leave(member.guest)
    member.guest.waitIsOver()
  }

  #laneOf(name: string): Lane {
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = { name, order: new FairLane(), trying: null, wokenMeanwhile: false, timer: null }
      this.#lanes.set(name, lane)
    }
    return lane
  }

  /** Wake the lane when its units can be there, if it would not wake by itself. */
  #sleep(lane: Lane, retryAfterMs: number | null): void {
    lane.timer ??= this.#timers.set(Math.min(retryAfterMs ?? recheckMs, recheckMs), () => {
      lane.timer = null
      this.#turnSoon(lane)
    })
  }

  #turnSoon(lane: Lane): void {
    if (this.#due.size === 0) setImmediate(() => this.#takeTurns())
    this.#due.add(lane)
  }

  #takeTurns(): void {
    const lanes = this.#due
    this.#due = new Set()
    let left = servedAtOnce
    for (const lane of lanes) {
      if (left > 0) left -= this.#turn(lane, left)
      else this.#turnSoon(lane)
    }
  }

  /** Let members try, one after the other, until one must wait. Returns how many tried. */
  #turn(lane: Lane, most: number): number {
    let tried = 0
    lane.wokenMeanwhile = lane.trying !== null
    while (lane.trying === null && tried < most) {
      const member = lane.order.next(this.#clock.monotonic())
      if (member === null) break
      tried += 1
      lane.trying = member
      let isNow = true
      let goesOn = false
      member.guest.tryAgain((outcome) => {
        goesOn = this.#tried(member, lane, outcome)
        if (!isNow && goesOn) this.#turnSoon(lane)
      })
      isNow = false
      if (!goesOn) return tried
    }
    if (lane.trying === null && lane.order.size > 0) this.#turnSoon(lane)
    return tried
  }

  /** True when the next of the lane may try. */
  #tried(member: Member, lane: Lane, outcome: TryOutcome): boolean {
    lane.trying = null
    if (typeof outcome === 'string') {
      this.#end(member, lane, outcome)
      return true
    }
    // It went away, and comes back from nowhere.
    if (!lane.order.has(member)) return true
    if (outcome.lane === lane.name) {
      this.#sleep(lane, outcome.retryAfterMs)
      return lane.wokenMeanwhile
    }
    this.#move(member, outcome)
    return true
  }

  #end(member: Member, lane: Lane, outcome: 'served' | 'gone'): void {
    if (!lane.order.has(member)) return
    if (outcome === 'gone') lane.order.leave(member)
    else lane.order.serve(member)
    this.#forget(member)
    if (outcome === 'gone') return
    this.#served += 1
    member.guest.go()
  }

  #move(member: Member, claim: LaneClaim): void {
    const from = member.lane
    from.order.leave(member)
    this.#dropIfEmpty(from)
    const lane = this.#laneOf(claim.lane)
    member.lane = lane
    member.cost = claim.cost
    lane.order.add(member)
    this.#sleep(lane, claim.retryAfterMs)
  }

  #forget(member: Member): void {
    member.deadline?.clear()
    this.#members.delete(member.guest)
    const length = (this.#lengths.get(member.flow) ?? 1) - 1
    if (length === 0) this.#lengths.delete(member.flow)
    else this.#lengths.set(member.flow, length)
    this.#dropIfEmpty(member.lane)
  }

  #dropIfEmpty(lane: Lane): void {
    if (lane.order.size > 0) return
    lane.timer?.clear()
    lane.timer = null
    this.#lanes.delete(lane.name)
    this.#due.delete(lane)
  }
}

/** A queue for one worker. */
export function createFairQueue(parts: QueueParts): FairQueue {
  return new Queue(parts)
}
