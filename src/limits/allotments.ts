/**
 * The allotments of one thread. Where a counter is asked for often and far from its bound, exchanges are admitted out
 * of what the thread has put aside of it; counting costs an addition then, and the counter hears of it every
 * `tendEveryMs`. Everything else, above all what is near a bound, is counted one by one.
 *
 *   often, and much is left ──▶ open ──▶ exchanges take and give back ──▶ tend: fill, or close
 *                                                      └─ runs out ──▶ fill at once, or count one by one
 *
 * Bounds. No limit is passed: what is allotted is held. Others find at most 1/128 of what was left less, for each
 * thread, for at most two turns of `tendEveryMs`; the counts of an exchange reach the counter as much later.
 */
import type { LimitRule } from '../domain/limits.ts'
import type { Clock } from '../kernel/clock.ts'
import type { TimerWheel } from '../kernel/timer-wheel.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import type { AlertWatch } from './alert-watch.ts'
import { Allotment, leastExchanges, type ToldStandings } from './allotment.ts'
import type { RulePlace } from './compile-limits.ts'
import type { LimitPart } from './limit-part.ts'
import type { LimitActual, LimitRequest } from './limit-request.ts'
import { unitsOf } from './meters.ts'
import { type LimitStanding, standingOf } from './standing.ts'
import type { Reservation } from './verdict.ts'

const tendEveryMs = 50
/**
 * A counter that is asked this often within `heatMs` has its allotment: about 60 exchanges a second. To tend it costs
 * one move; each exchange that is counted by itself costs two, of the same price.
 */
const defaultHotFrom = 4
const heatMs = 64
/** A standing is told again while it is not off by more than this part, and not older. */
const toldShare = 1 / 1024
const toldForMs = 100

export interface AllotmentsOptions {
  readonly counters: NodeCounters
  readonly clock: Clock
  readonly timers: TimerWheel
  readonly watch: AlertWatch | null
  /** Leased counters have less left than they should. */
  readonly fetchAhead: (parts: readonly Allotment[]) => void
  /** For tests: 0 allots at the first exchange. */
  readonly hotFrom?: number
}

export class Allotments {
  readonly #options: AllotmentsOptions
  readonly #hotFrom: number
  /** All that hold anything. */
  readonly #open = new Set<Allotment>()
  #isTending = false

  constructor(options: AllotmentsOptions) {
    this.#options = options
    this.#hotFrom = options.hotFrom ?? defaultHotFrom
  }

  /** Admit an exchange out of what is put aside at all of its places; null: count it one by one. */
  take(places: readonly RulePlace[], request: LimitRequest, now: number): Reservation | null {
    for (const place of places) if (place.allotment === null) return null
    const taken: Allotment[] = []
    const units: number[] = []
    const mostTimes = request.isOpenEnded === true ? (request.mostTimes ?? Number.POSITIVE_INFINITY) : 0
    for (const { allotment } of places) {
      if (allotment === null) return null
      const needed = unitsOf(allotment.rule.meter, request)
      // Figures that were estimated by size serve because much more is left than the exchange can need.
      if (allotment.free < needed && !this.#refill(allotment, needed, now)) return null
      // Where the budget might not bear it, the answer gets a cap.
      if (mostTimes > 0 && !allotment.bears(needed * mostTimes)) return null
      taken.push(allotment)
      units.push(needed)
    }
    const reservation = new AllottedReservation({ taken, units, mostTimes }, this)
    reservation.begin()
    return reservation
  }

  /** An exchange was counted one by one: open allotments for what is asked for often. */
  counted(parts: readonly LimitPart[], now: number): void {
    for (const { rule, place, units, skipped } of parts) {
      if (place.allotment !== null || skipped) continue
      if (now - place.heatSince >= heatMs || now < place.heatSince) {
        place.heatSince = now
        place.heat = 0
      }
      place.heat += 1
      if (place.heat >= this.#hotFrom) this.#openFor(rule, place, { units, now })
    }
  }

  /** More was used than was put aside for the exchange. False: the limit is reached. */
  extend(allotment: Allotment, units: number): boolean {
    const { counters, clock } = this.#options
    if (!allotment.extend(units, counters, clock.now())) return false
    allotment.free -= units
    this.#keep(allotment)
    return true
  }

  /** An exchange has ended that held some of it. */
  ended(allotment: Allotment): void {
    allotment.isBusy = true
    const { counters, clock } = this.#options
    if (allotment.free < 0) allotment.empty(counters, clock.now())
    else if (allotment.isOverfull) this.#shrink(allotment)
    this.#keep(allotment)
  }

  /** The thread ends: let go of all that no exchange holds. */
  close(): void {
    for (const allotment of this.#open) this.#close(allotment, this.#options.clock.now())
  }

  standingsOf(taken: readonly Allotment[]): readonly LimitStanding[] {
    const [first] = taken
    if (first === undefined) return []
    const now = this.#options.clock.now()
    const told = first.told
    if (told !== null && now < told.until && stillTrue(told, taken)) return told.standings
    const standings = taken
      .filter(({ rule }) => rule.mode !== 'shadow')
      .map((allotment) => this.#standingOf(allotment, now))
      .sort((a, b) => a.remaining / a.amount - b.remaining / b.amount)
    const available = taken.map((allotment) => allotment.available)
    first.told = { taken, available, standings, until: now + toldForMs }
    return standings
  }

  #standingOf(allotment: Allotment, now: number): LimitStanding {
    const { counters } = this.#options
    const { rule, terms, available } = allotment
    const lease = allotment.counter.leased ? counters.readLease(allotment.counter) : null
    const standing = standingOf({ rule, terms, left: available }, lease, now)
    return lease === null
      ? standing
      : { ...standing, remaining: standing.remaining + Math.max(0, allotment.free) }
  }

  #openFor(rule: LimitRule, place: RulePlace, { units, now }: { units: number; now: number }): void {
    if ((place.lastLeft ?? 0) < leastExchanges * 256 * units) return
    const allotment = new Allotment(rule, place)
    allotment.left = place.lastLeft ?? 0
    if (!allotment.fill(units, this.#options.counters, now)) return
    allotment.isBusy = true
    place.allotment = allotment
    this.#keep(allotment)
  }

  #shrink(allotment: Allotment): void {
    const { counters, clock } = this.#options
    const now = clock.now()
    const isKept = !allotment.isClosed && allotment.fill(1, counters, now)
    if (isKept || allotment.empty(counters, now)) this.#heard(allotment)
  }

  #refill(allotment: Allotment, units: number, now: number): boolean {
    if (allotment.fill(units, this.#options.counters, now)) {
      this.#heard(allotment)
      return true
    }
    this.#close(allotment, now)
    return false
  }

  #keep(allotment: Allotment): void {
    if (!allotment.isKept) {
      allotment.isKept = true
      this.#open.add(allotment)
    }
    if (this.#isTending) return
    this.#isTending = true
    this.#options.timers.set(tendEveryMs, () => this.#tend())
  }

  #tend(): void {
    this.#isTending = false
    const now = this.#options.clock.now()
    for (const allotment of this.#open) {
      const isWanted = allotment.isBusy && !allotment.isClosed
      allotment.isBusy = false
      if (isWanted && allotment.fill(1, this.#options.counters, now)) this.#heard(allotment)
      else this.#close(allotment, now)
    }
    const [next] = this.#open
    if (next !== undefined) this.#keep(next)
  }

  #close(allotment: Allotment, now: number): void {
    allotment.isClosed = true
    if (allotment.place.allotment === allotment) allotment.place.allotment = null
    if (allotment.free !== 0 || allotment.used !== 0) {
      if (!allotment.empty(this.#options.counters, now)) return
      this.#heard(allotment)
    }
    if (allotment.held !== 0) return
    allotment.isKept = false
    this.#open.delete(allotment)
  }

  /** The counter knows what was used. */
  #heard(allotment: Allotment): void {
    const { watch, fetchAhead } = this.#options
    const all = [allotment]
    watch?.look(all, allotment.kind === 'reserved' ? 'settled' : 'taken')
    if (allotment.counter.leased) fetchAhead(all)
  }
}

function stillTrue(told: ToldStandings, taken: readonly Allotment[]): boolean {
  if (told.taken.length !== taken.length) return false
  for (let at = 0; at < taken.length; at += 1) {
    const before = told.available[at] ?? 0
    const now = taken[at]?.available ?? 0
    if (told.taken[at] !== taken[at] || Math.abs(now - before) > before * toldShare) return false
  }
  return true
}

const noRules: readonly { readonly rule: LimitRule }[] = Object.freeze([])

/** What one exchange has taken, counter by counter. */
interface Taken {
  readonly taken: readonly Allotment[]
  readonly units: readonly number[]
  /** At most so many times as much is what an open-ended answer comes to; 0: it has its cap. */
  readonly mostTimes: number
}

class AllottedReservation implements Reservation {
  readonly exceeded = noRules
  readonly #of: Taken
  readonly #allotments: Allotments
  /** Taken since, by counter; null: nothing. */
  #more: number[] | null = null
  #isOpen = true

  constructor(of: Taken, allotments: Allotments) {
    this.#of = of
    this.#allotments = allotments
  }

  get standings(): readonly LimitStanding[] {
    return this.#allotments.standingsOf(this.#of.taken)
  }

  begin(): void {
    const { taken, units, mostTimes } = this.#of
    for (let at = 0; at < taken.length; at += 1) {
      const allotment = taken[at]
      if (allotment === undefined) continue
      const needed = units[at] ?? 0
      allotment.free -= needed
      allotment.owed += needed * mostTimes
      allotment.isBusy = true
      // Requests are used at once; tokens, money and places are held until the end.
      if (allotment.kind === 'counted') allotment.used += needed
    }
  }

  progress(used: LimitActual): LimitRule | null {
    if (!this.#isOpen) return null
    const { taken, units } = this.#of
    for (const [at, allotment] of taken.entries()) {
      if (allotment.kind !== 'reserved') continue
      const before = this.#more?.[at] ?? 0
      const more = unitsOf(allotment.rule.meter, used) - (units[at] ?? 0) - before
      if (more <= 0) continue
      if (!this.#allotments.extend(allotment, more)) return allotment.rule
      this.#more ??= units.map(() => 0)
      this.#more[at] = before + more
    }
    return null
  }

  settle(actual: LimitActual): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { taken, units, mostTimes } = this.#of
    for (let at = 0; at < taken.length; at += 1) {
      const allotment = taken[at]
      if (allotment === undefined) continue
      const needed = units[at] ?? 0
      allotment.owed -= needed * mostTimes
      if (allotment.kind === 'counted') continue
      const used = allotment.kind === 'reserved' ? unitsOf(allotment.rule.meter, actual) : 0
      allotment.used += used
      allotment.free += needed + (this.#more?.[at] ?? 0) - used
      this.#allotments.ended(allotment)
    }
  }
}
