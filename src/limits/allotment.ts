/**
 * Units of one counter that a thread has put aside for itself, to admit many exchanges without a move for each.
 *
 *   held in the counter = free (for the next exchange) + used (since the counter last heard) + with exchanges under way
 *
 * They are held like those of any exchange, so nobody else gets them. When the thread dies they count as used, because
 * nobody knows which were; places for exchanges under way are let go of.
 */
import type { LimitRule } from '../domain/limits.ts'
import type { CounterTerms } from '../ports/central-counters.ts'
import type { CounterPart, NodeCounter, NodeCounters } from '../ports/node-counters.ts'
import type { CountedPart, NamedPlace } from './counted-part.ts'
import { isCurrent } from './counter-terms.ts'
import { isHardOnOutput, type PartKind, partKindOf } from './meters.ts'
import type { LimitStanding } from './standing.ts'

/** Part of what is left that one thread puts aside. */
const allottedShare = 1 / 256
/** What exchanges give back stays with the thread up to so many times as much. */
const mostTimesAside = 2
/** Worth it from this many times what one exchange needs. */
export const leastExchanges = 8
/** Of what is left, all open-ended answers of one thread together; as many threads have it all. */
const owedShare = 1 / 64

/** A place that may have an allotment. */
export interface AllottedPlace extends NamedPlace {
  /** Units that were available after the last move of this thread; null: none yet. A hint, never a decision. */
  lastLeft: number | null
  /** What this thread has put aside of it; null: exchanges are counted one by one. */
  allotment: Allotment | null
}

/** What was told of exchanges that took of the same counters. */
export interface ToldStandings {
  readonly taken: readonly Allotment[]
  readonly available: readonly number[]
  readonly standings: readonly LimitStanding[]
  readonly until: number
}

export class Allotment implements CounterPart, CountedPart {
  readonly rule: LimitRule
  readonly place: AllottedPlace
  readonly kind: PartKind
  readonly usedAtDeath: boolean
  readonly skipped = false
  check: CounterPart['check'] = 'firm'
  hold = 0
  use = 0
  held = 0
  ticket = 0
  short = false
  left = 0
  /** Below zero: more was used than put aside, and the counter does not know yet. */
  free = 0
  used = 0
  /** A budget that answers must never exceed. */
  readonly isHard: boolean
  /** What open-ended answers under way may come to at most. */
  owed = 0
  /** Exchanges came or ended since it was last tended. */
  isBusy = false
  /** It is tended. */
  isKept = false
  /** No exchange gets any more of it. */
  isClosed = false
  /** Of exchanges that take of this one first. */
  told: ToldStandings | null = null

  constructor(rule: LimitRule, place: AllottedPlace) {
    this.rule = rule
    this.place = place
    this.kind = partKindOf(rule.meter)
    this.usedAtDeath = this.kind !== 'concurrent'
    this.isHard = isHardOnOutput(rule)
  }

  get counter(): NodeCounter {
    return this.place.counter
  }
  get terms(): CounterTerms {
    return this.place.terms
  }

  /** Units that are there for others and for the next exchange of this thread. */
  get available(): number {
    return this.left + this.free
  }

  /** Exchanges gave back more than the thread may keep from others. */
  get isOverfull(): boolean {
    return this.free > this.available * allottedShare * mostTimesAside
  }

  /** Whether the budget bears that one more answer, whose length is open, comes to `most`. */
  bears(most: number): boolean {
    return !this.isHard || this.owed + most <= this.available * owedShare
  }

  /** Tell the counter what was used, and put aside as much as is fit, at least `units`. False: it is not there. */
  fill(units: number, counters: NodeCounters, now: number): boolean {
    const target = Math.floor(this.available * allottedShare)
    if (target < leastExchanges * units || !isCurrent(this.terms, now)) return false
    this.check = 'firm'
    return this.#move(target, counters, now)
  }

  /** Tell the counter what was used, and let go of all but what exchanges under way hold. False: not now. */
  empty(counters: NodeCounters, now: number): boolean {
    this.check = 'forced'
    return this.#move(0, counters, now)
  }

  /** Put `units` more aside for an exchange that needs more than it thought. False: they are not there. */
  extend(units: number, counters: NodeCounters, now: number): boolean {
    this.check = 'firm'
    return this.free >= units || this.#move(units, counters, now)
  }

  #move(free: number, counters: NodeCounters, now: number): boolean {
    this.hold = free - this.free - this.used
    this.use = this.used
    if (counters.move([this], now) !== 'moved') return false
    this.free = free
    this.used = 0
    this.place.lastLeft = this.left
    return true
  }
}
