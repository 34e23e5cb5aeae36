/**
 * What an exchange has taken. Reserved units turn into used ones as the answer streams, and the rest is let go of at
 * the end, so that a limit holds what is used and what may still be used, never both.
 */
import type { LimitRule } from '../domain/limits.ts'
import type { Clock } from '../kernel/clock.ts'
import type { TimerWheel } from '../kernel/timer-wheel.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import type { LimitPart } from './limit-part.ts'
import type { LimitActual } from './limit-request.ts'
import { unitsOf } from './meters.ts'
import { type LimitStanding, standingOf } from './standing.ts'
import type { Reservation } from './verdict.ts'

export interface ReservationTools {
  readonly counters: NodeCounters
  readonly clock: Clock
  readonly timers: TimerWheel
  /** Leased parts have less left than they should. */
  readonly fetchAhead: (parts: readonly LimitPart[]) => void
  readonly settled: (parts: readonly LimitPart[]) => void
}

/** Share of what is reserved that must be used before it is counted: each count takes the locks. */
const countedShare = 0.25
const settleRetryMs = 50
const maxSettleRetries = 100

export class CounterReservation implements Reservation {
  readonly exceeded: readonly { readonly rule: LimitRule }[]
  readonly #parts: readonly LimitPart[]
  readonly #tools: ReservationTools
  #isOpen = true

  constructor(parts: readonly LimitPart[], tools: ReservationTools) {
    this.exceeded = exceededOf(parts)
    this.#parts = parts
    this.#tools = tools
  }

  get standings(): readonly LimitStanding[] {
    return standingsOf(this.#parts, this.#tools.counters, this.#tools.clock.now())
  }

  progress(used: LimitActual): LimitRule | null {
    if (!this.#isOpen) return null
    const moving: LimitPart[] = []
    let isBeyond = false
    for (const part of this.#parts) {
      if (part.kind !== 'reserved' || part.skipped) continue
      const total = unitsOf(part.rule.meter, used)
      const news = total - part.counted
      if (news > part.held) isBeyond = true
      else if (news < 1 || news < part.held * countedShare) continue
      part.hold = -Math.min(news, part.held)
      part.use = news
      moving.push(part)
    }
    if (moving.length === 0) return null
    return isBeyond ? this.#takeMore(moving) : this.#count(moving)
  }

  settle(actual: LimitActual): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const closing = this.#parts.filter((part) => !part.skipped && part.kind !== 'counted')
    for (const part of closing) part.close(unitsOf(part.rule.meter, actual))
    this.#finish(closing, maxSettleRetries)
  }

  /** More was used than reserved: where there is no more to take, a hard limit is reached. */
  #takeMore(parts: readonly LimitPart[]): LimitRule | null {
    const { counters, clock } = this.#tools
    const outcome = counters.move(parts, clock.now())
    if (outcome === 'short') return this.#owe(parts)
    if (outcome === 'moved') this.#countUp(parts)
    return null
  }

  /** A lease that is used up may owe for as long as it takes to fetch more, but no more than the exchange asked for. */
  #owe(parts: readonly LimitPart[]): LimitRule | null {
    const { counters, clock } = this.#tools
    const missing = parts.filter((part) => part.short && part.check === 'firm')
    const now = clock.now()
    for (const part of missing) {
      const isDry = (counters.readLease(part.counter)?.dryUntil ?? 0) > now
      if (!part.counter.leased || isDry || part.left + part.units < 0) return part.rule
    }
    for (const part of missing) part.check = 'forced'
    if (counters.move(parts, now) === 'moved') this.#countUp(parts)
    for (const part of missing) part.check = 'firm'
    return null
  }

  #count(parts: readonly LimitPart[]): null {
    // What could not be counted now is counted with the next figures, or at the end.
    if (this.#tools.counters.move(parts, this.#tools.clock.now()) === 'moved') this.#countUp(parts)
    return null
  }

  #countUp(parts: readonly LimitPart[]): void {
    for (const part of parts) if (!(part.short && part.check === 'soft')) part.counted += part.use
    this.#tools.fetchAhead(parts)
  }

  #finish(parts: readonly LimitPart[], retries: number): void {
    const { counters, clock, timers } = this.#tools
    const outcome = counters.move(parts, clock.now())
    if (outcome === 'moved') return this.#tools.settled(parts)
    if (retries === 0) return
    timers.set(settleRetryMs, () => this.#finish(parts, retries - 1))
  }
}

const noRules: readonly LimitPart[] = Object.freeze([])

function exceededOf(parts: readonly LimitPart[]): readonly { readonly rule: LimitRule }[] {
  if (!parts.some((part) => part.short)) return noRules
  return parts.filter((part) => part.short && part.rule.mode !== 'enforce')
}

export function standingsOf(
  parts: readonly LimitPart[],
  counters: NodeCounters,
  now: number,
): readonly LimitStanding[] {
  return parts
    .filter((part) => part.rule.mode !== 'shadow')
    .map((part) => standingOf(part, part.counter.leased ? counters.readLease(part.counter) : null, now))
    .sort((a, b) => shareLeft(a) - shareLeft(b))
}

function shareLeft({ remaining, amount }: LimitStanding): number {
  return amount > 0 ? remaining / amount : 0
}
