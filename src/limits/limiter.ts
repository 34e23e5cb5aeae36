/**
 * Admits exchanges: finds the counters of the rules that apply and takes from all of them or from none. Counters of
 * this node answer in the same tick; leased ones do too, unless their lease is used up.
 */
import type { LimitAlertSighting } from '../domain/limit-alert.ts'
import type { LimitRule } from '../domain/limits.ts'
import type { Clock } from '../kernel/clock.ts'
import type { TimerWheel } from '../kernel/timer-wheel.ts'
import type { CentralCounters, CounterTerms } from '../ports/central-counters.ts'
import { type CounterPart, maxCounterParts, type NodeCounters } from '../ports/node-counters.ts'
import { type AlertWatch, createAlertWatch } from './alert-watch.ts'
import { Allotments } from './allotments.ts'
import { type CompiledLimits, type CompiledRule, placeOf, type RulePlace, termsAt } from './compile-limits.ts'
import type { CountedPart } from './counted-part.ts'
import { isCurrent } from './counter-terms.ts'
import { createLeaseDesk, type LeaseAnswer, type LeaseDesk } from './lease-desk.ts'
import { LimitPart, waitMsOf } from './limit-part.ts'
import type { LimitRequest } from './limit-request.ts'
import { boundOutput, boundOutputLeast } from './output-bound.ts'
import { CounterReservation, type ReservationTools, standingsOf } from './reservation.ts'
import { counterKeyOf } from './subjects.ts'
import type { Limiter, LimitRefusal, LimitVerdict, Reservation } from './verdict.ts'

export interface LimiterOptions {
  readonly counters: NodeCounters
  /** Durable counters, for calendar rules. Null: they are counted on this node, until the process ends. */
  readonly calendarCounters: CentralCounters | null
  /** Counters of all nodes, for rolling and concurrency rules. Null: this is the only node. */
  readonly rateCounters: CentralCounters | null
  readonly clock: Clock
  readonly timers: TimerWheel
  readonly random?: () => number
  /** A call of the central counters that takes longer counts as lost. */
  readonly centralTimeoutMs?: number
  /** A counter has passed a share at which its rule wants an alert. Cheap, and never throws. */
  readonly onAlert?: (sighting: LimitAlertSighting) => void
  /** For tests: exchanges within a moment after which a counter has its allotment. */
  readonly hotFrom?: number
}

const defaultCentralTimeoutMs = 500
/** Times that a lease may be snatched away by other exchanges before the exchange is told to come again. */
const maxAttempts = 4
const snatchedRetryMs = 100
const unavailableRetryMs = 1000

export function createLimiter(options: LimiterOptions): Limiter {
  return new CounterLimiter(options)
}

const nothingReserved: Reservation = Object.freeze({
  standings: [],
  exceeded: [],
  progress: () => null,
  settle: () => {},
})
const nothingToCount: LimitVerdict = Object.freeze({ allowed: true, reservation: nothingReserved })

/** An exchange on its way in. */
interface Admission {
  readonly parts: LimitPart[]
  readonly request: LimitRequest
  readonly done: (verdict: LimitVerdict) => void
  /** The request's figures are as exact as they can be. */
  isExact: boolean
  attempts: number
}

class CounterLimiter implements Limiter {
  readonly #options: LimiterOptions
  readonly #calendarDesk: LeaseDesk | null
  readonly #rateDesk: LeaseDesk | null
  readonly #tools: ReservationTools
  readonly #watch: AlertWatch | null
  readonly #allotments: Allotments

  constructor(options: LimiterOptions) {
    this.#options = options
    this.#calendarDesk = this.#openDesk(options.calendarCounters)
    this.#rateDesk = this.#openDesk(options.rateCounters)
    const { counters, clock, timers, onAlert } = options
    const watch = onAlert === undefined ? null : createAlertWatch({ counters, clock, tell: onAlert })
    this.#watch = watch
    const fetchAhead = (parts: readonly CountedPart[]): void => this.#fetchAhead(parts)
    const { hotFrom } = options
    const hot = hotFrom === undefined ? {} : { hotFrom }
    this.#allotments = new Allotments({ counters, clock, timers, watch, fetchAhead, ...hot })
    this.#tools = {
      counters,
      clock,
      timers,
      fetchAhead,
      settled: (parts) => watch?.look(parts, 'settled'),
    }
  }

  admit(limits: CompiledLimits, request: LimitRequest, done: (verdict: LimitVerdict) => void): void {
    const rules = limits.rulesOf(request)
    if (rules.length === 0) return done(nothingToCount)
    const now = this.#options.clock.now()
    const places: RulePlace[] = []
    for (const compiled of rules) places.push(this.#placeOf(limits, compiled, { request, now }))
    // What streams have used is counted as they go.
    const reservation = request.streamed ? null : this.#allotments.take(places, request, now)
    if (reservation !== null) return done({ allowed: true, reservation })
    this.#admitCounted(rules, places, { request, done, now })
  }

  close(): void {
    this.#allotments.close()
  }

  /** Take what the exchange needs from each of its counters. */
  #admitCounted(
    rules: readonly CompiledRule[],
    places: readonly RulePlace[],
    { request, done, now }: Pick<Admission, 'request' | 'done'> & { readonly now: number },
  ): void {
    const parts: LimitPart[] = []
    for (const [at, compiled] of rules.entries()) {
      const place = places[at]
      if (place !== undefined) parts.push(new LimitPart(compiled, place, request))
    }
    const admission = { parts, request, done, isExact: request.refine === undefined, attempts: 0 }
    // Judged by what is expected: what hard budgets put aside for an open-ended answer goes by what they bear.
    if (!admission.isExact && parts.some((part) => part.isNear)) this.#refine(admission, now)
    else if (request.isOpenEnded === true) this.#bound(admission, now)
    const first = parts[0]
    if (parts.length > maxCounterParts && first !== undefined)
      return this.#refuseUnavailable(admission, first)
    this.#attempt(admission, now)
  }

  #openDesk(central: CentralCounters | null): LeaseDesk | null {
    if (central === null) return null
    const { counters, clock, timers, random, centralTimeoutMs } = this.#options
    return createLeaseDesk({
      central,
      counters,
      clock,
      timers,
      random: random ?? Math.random,
      timeoutMs: centralTimeoutMs ?? defaultCentralTimeoutMs,
    })
  }

  #deskOf(terms: CounterTerms): LeaseDesk | null {
    return terms.kind === 'calendar' ? this.#calendarDesk : this.#rateDesk
  }

  #placeOf(
    limits: CompiledLimits,
    compiled: CompiledRule,
    { request, now }: { readonly request: LimitRequest; readonly now: number },
  ): RulePlace {
    const subject = compiled.subjectOf(request)
    const kept = compiled.places.get(subject)
    if (kept !== undefined && isCurrent(kept.terms, now)) return kept
    const place = this.#makePlace(compiled.rule, subject, termsAt(compiled, subject, now))
    limits.keep(compiled, place)
    return place
  }

  #makePlace(rule: LimitRule, subject: string, terms: CounterTerms): RulePlace {
    const key = counterKeyOf(rule.organizationId, rule.id, subject)
    const counter = this.#options.counters.counter({
      key,
      startsAt: terms.kind === 'calendar' ? terms.startsAt : 0,
      group: rule.organizationId,
      leased: this.#deskOf(terms) !== null,
    })
    return placeOf({ subject, key, counter, terms })
  }

  #attempt(admission: Admission, now: number): void {
    admission.attempts += 1
    const moving = askingOf(admission.parts)
    for (const part of moving) part.ask()
    const outcome = this.#options.counters.move(moving, now)
    if (outcome === 'moved') return this.#allow(admission, now)
    if (outcome === 'short' && admission.isExact) return this.#refuseOrFetch(admission)
    if (outcome === 'short') {
      this.#refine(admission, now)
      return this.#attempt(admission, now)
    }
    const first = moving[0]
    if (first !== undefined) this.#refuseUnavailable(admission, first)
  }

  #allow({ parts, request, done }: Admission, now: number): void {
    for (const part of parts) {
      if (part.short && !part.skipped) this.#options.counters.countFigure(part.rule.id, 'exceeded')
      if (part.short && part.check === 'soft') part.skipped = true
      if (part.kind === 'counted' && !part.skipped) part.counted = part.units
      part.place.lastLeft = part.left
    }
    this.#watch?.look(parts, 'taken')
    const reservation = new CounterReservation(parts, this.#tools)
    this.#fetchAhead(parts)
    if (!request.streamed) this.#allotments.counted(parts, now)
    done({ allowed: true, reservation })
  }

  #fetchAhead(parts: readonly CountedPart[]): void {
    for (const part of parts) {
      if (part.counter.leased && !part.skipped) this.#deskOf(part.terms)?.fetchAhead(part.place, part.left)
    }
  }

  /** A firm part was short. A counter of this node has the last word; a lease may be renewed. */
  #refuseOrFetch(admission: Admission): void {
    const now = this.#options.clock.now()
    const missing = admission.parts.filter((part) => part.short && !part.skipped && part.check === 'firm')
    const refusing = missing.filter((part) => !part.counter.leased || this.#isDry(part, now))
    if (refusing.length > 0) return this.#shrinkOrRefuse(admission, refusing)
    const [first] = missing
    if (admission.attempts >= maxAttempts && first !== undefined) {
      return this.#refuse(admission, { part: first, cause: 'exceeded', retryAfterMs: snatchedRetryMs })
    }
    this.#fetch(admission, missing)
  }

  /** The central counter has just said that so many units are not there. */
  #isDry(part: LimitPart, now: number): boolean {
    const reading = this.#options.counters.readLease(part.counter)
    if (reading === null || reading.dryUntil <= now) return false
    return part.units - Math.max(0, reading.balance) >= reading.dryUnits
  }

  #fetch(admission: Admission, missing: readonly LimitPart[]): void {
    let waiting = missing.length
    const refused: LimitPart[] = []
    const lost: LimitPart[] = []
    const finish = (part: LimitPart, answer: LeaseAnswer): void => {
      if (answer === 'refused') refused.push(part)
      if (answer === 'lost') lost.push(part)
      waiting -= 1
      if (waiting > 0) return
      if (refused.length > 0) this.#shrinkOrRefuse(admission, refused)
      else if (lost.length > 0) this.#goOnWithout(admission, lost)
      else this.#attempt(admission, this.#options.clock.now())
    }
    for (const part of missing) {
      const desk = this.#deskOf(part.terms)
      if (desk === null) finish(part, 'lost')
      else if (desk.isReturning && this.#isOverShare(part, desk)) finish(part, 'refused')
      else desk.obtain(part.place, part.units, (answer) => finish(part, answer))
    }
  }

  /** Takes what `part` asks for from this node's share, besides what the central counter is asked for. */
  #isOverShare(part: LimitPart, desk: LeaseDesk): boolean {
    if (part.rule.onStoreLoss !== 'local-share' || part.terms.kind !== 'rolling') return false
    const { counters, clock } = this.#options
    const share = this.#sharePlace(part, desk.shareNodes)
    const { counter, terms } = share
    const unheld = { hold: 0, held: 0, ticket: 0, short: false, left: 0 }
    const taking: CounterPart = { counter, terms, check: 'firm', use: part.units, ...unheld }
    if (counters.move([taking], clock.now()) === 'moved') return false
    // So that the refusal says when the share has that much.
    part.place = share
    part.left = taking.left
    return true
  }

  /** The central counters cannot be reached: go by each rule's `onStoreLoss`. */
  #goOnWithout(admission: Admission, lost: readonly LimitPart[]): void {
    for (const part of lost) this.#options.counters.countFigure(part.rule.id, 'unavailable')
    const closed = lost.find((part) => part.rule.onStoreLoss === 'closed')
    if (closed !== undefined) return this.#refuseUnavailable(admission, closed)
    const now = this.#options.clock.now()
    for (const part of lost) {
      if (part.rule.onStoreLoss === 'open') this.#leaveOpen(part)
      else if (!this.#useShare(part, now)) {
        return this.#refuse(admission, { part, cause: 'unavailable', retryAfterMs: unavailableRetryMs })
      }
    }
    this.#attempt(admission, now)
  }

  /** Calendar rules go on counting, as a debt that is told when the store is back; rates of that time mean nothing then. */
  #leaveOpen(part: LimitPart): void {
    if (part.terms.kind === 'calendar') part.check = 'forced'
    else part.skipped = true
  }

  /** False: this node's share of a budget is used up, or it started after the loss and cannot know its share. */
  #useShare(part: LimitPart, now: number): boolean {
    const { counters } = this.#options
    const desk = this.#deskOf(part.terms)
    const nodes = desk?.shareNodes ?? 1
    if (part.terms.kind === 'calendar') {
      if (desk === null || desk.nodes === null) return false
      const known = counters.readLease(part.counter)?.centralLeft ?? part.terms.amount
      return counters.grantShare(part.place, Math.floor(Math.min(part.terms.amount, known) / nodes), now)
    }
    part.place = this.#sharePlace(part, nodes)
    return true
  }

  #sharePlace({ rule, place }: LimitPart, nodes: number): RulePlace {
    const key = `${place.key}/share`
    const counter = this.#options.counters.counter({
      key,
      startsAt: 0,
      group: rule.organizationId,
      leased: false,
    })
    return placeOf({ subject: place.subject, key, counter, terms: shareOf(place.terms, nodes) })
  }

  /** An answer whose length is open may do with less than was asked for at first. */
  #shrinkOrRefuse(admission: Admission, refusing: readonly LimitPart[]): void {
    if (boundOutputLeast(admission.request, admission.parts)) {
      this.#attempt(admission, this.#options.clock.now())
    } else this.#refuseExceeded(admission, refusing)
  }

  #refine(admission: Admission, now: number): void {
    const { parts, request } = admission
    request.refine?.()
    for (const part of parts) part.measure(request)
    if (request.isOpenEnded === true) this.#bound(admission, now)
    admission.isExact = true
  }

  #bound({ parts, request }: Admission, now: number): void {
    boundOutput(request, { parts, counters: this.#options.counters, now })
  }

  #refuseExceeded(admission: Admission, refusing: readonly LimitPart[]): void {
    const now = this.#options.clock.now()
    let worst: LimitPart | null = null
    let longest: number | null = 0
    for (const part of refusing) {
      const waitMs = part.counter.leased ? this.#leaseWaitMs(part, now) : waitMsOf(part, now)
      if (worst !== null && (longest === null || (waitMs !== null && waitMs <= longest))) continue
      worst = part
      longest = waitMs
    }
    if (worst !== null) this.#refuse(admission, { part: worst, cause: 'exceeded', retryAfterMs: longest })
  }

  #leaseWaitMs(part: LimitPart, now: number): number | null {
    const { terms } = part
    if (part.units > (terms.kind === 'rolling' ? terms.burst : terms.amount)) return null
    const reading = this.#options.counters.readLease(part.counter)
    if (terms.kind === 'calendar' && reading?.centralLeft === 0) return Math.max(1, terms.endsAt - now)
    return Math.max(1, (reading?.dryUntil ?? now) - now)
  }

  #refuseUnavailable(admission: Admission, part: LimitPart): void {
    this.#refuse(admission, { part, cause: 'unavailable', retryAfterMs: unavailableRetryMs })
  }

  #refuse(
    { parts, done }: Admission,
    why: Pick<LimitRefusal, 'cause' | 'retryAfterMs'> & { readonly part: LimitPart },
  ): void {
    const { counters, clock } = this.#options
    const { part, cause, retryAfterMs } = why
    counters.countFigure(part.rule.id, 'refused')
    const standings = standingsOf(parts, counters, clock.now())
    done({ allowed: false, rule: part.rule, cause, retryAfterMs, standings })
  }
}

function askingOf(parts: readonly LimitPart[]): readonly LimitPart[] {
  return parts.some((part) => part.skipped) ? parts.filter((part) => !part.skipped) : parts
}

/** One node's part of a rate. At least one unit at a time, else it would never admit anything. */
function shareOf(terms: CounterTerms, nodes: number): CounterTerms {
  if (terms.kind === 'calendar') return terms
  if (terms.kind === 'concurrency') return { ...terms, amount: Math.max(1, Math.floor(terms.amount / nodes)) }
  return { ...terms, amount: terms.amount / nodes, burst: Math.max(1, terms.burst / nodes) }
}
