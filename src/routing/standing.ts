/**
 * Whether a target may be used: its row on the health board, read and written. Three ways back into use:
 *
 *   cooling    → time passes                       retired, open, unhealthy → time passes, then one trial at a time
 *   retired    → also when the credential changes  unhealthy                → also when a health check succeeds
 */
import { type BoardRow, lane, type Trouble, tickOf, troubles, untilTick } from './health-board.ts'

/** A trial whose end nobody reports (its thread died) gives way to the next after this time. */
const trialMs = 60_000
/** What others are told to wait while a trial is under way. */
const trialWaitMs = 1000
const longestStreak = 16

const none = 0
const cooling = 1

/** `trial`: the target is out of use, and this exchange finds out whether it still has to be. */
export type Claim = 'granted' | 'trial' | 'refused'

/** A pause that doubles with each time in a row. */
export interface Pause {
  readonly firstMs: number
  readonly maxMs: number
}

export class Standing {
  readonly #lanes: Int32Array
  readonly #start: number
  readonly #credential: number

  /** @param credential fingerprint: another one makes a retired deployment new */
  constructor({ lanes, start }: BoardRow, credential: number) {
    this.#lanes = lanes
    this.#start = start
    this.#credential = credential
    if (this.#read(lane.credential) !== credential) {
      this.#write(lane.credential, credential)
      this.clear()
    }
  }

  get isClear(): boolean {
    return this.#lanes[this.#start + lane.trouble] === none
  }

  get trouble(): Trouble {
    return troubles[this.#read(lane.trouble)] ?? 'none'
  }

  /** How often it went out of use. */
  get count(): number {
    return this.#read(lane.count)
  }

  /** Milliseconds until it may be tried again, as far as is known; 0: now. */
  waitMs(now: number): number {
    if (this.isClear) return 0
    const left = untilTick(this.#read(lane.until), now)
    if (left > 0) return left
    return this.#read(lane.trouble) !== cooling && this.#isOnTrial(now) ? trialWaitMs : 0
  }

  /** May an exchange go there now? Where others may not, it goes as the one trial. */
  claim(now: number): Claim {
    if (this.isClear) return 'granted'
    if (untilTick(this.#read(lane.until), now) > 0) return 'refused'
    if (this.#read(lane.trouble) === cooling) {
      this.#write(lane.trouble, none)
      return 'granted'
    }
    if (this.#isOnTrial(now)) return 'refused'
    const held = this.#read(lane.trialUntil)
    const next = tickOf(now + trialMs) || 1
    const found = Atomics.compareExchange(this.#lanes, this.#start + lane.trialUntil, held, next)
    return found === held ? 'trial' : 'refused'
  }

  /** The trial came to no end (the caller left): another may follow at once. */
  release(): void {
    if (!this.isClear) this.#write(lane.trialUntil, 0)
  }

  /** A call succeeded. A pause that the provider asked for is kept all the same. */
  succeeded(now: number): void {
    const trouble = this.#read(lane.trouble)
    if (trouble === none && this.#read(lane.streak) === 0) return
    if (trouble === cooling && untilTick(this.#read(lane.until), now) > 0) return
    this.clear()
  }

  clear(): void {
    this.#write(lane.streak, 0)
    this.#write(lane.trialUntil, 0)
    this.#write(lane.trouble, none)
  }

  /** Out of use for `ms`. A longer pause of the same kind stays. */
  cool(ms: number, now: number): void {
    const trouble = this.#read(lane.trouble)
    if (trouble > cooling) return
    if (trouble === cooling && untilTick(this.#read(lane.until), now) >= ms) return
    this.#enter('cooling', ms, now)
  }

  /** Cooling without a word of the provider on how long. */
  coolOff(pause: Pause, now: number): void {
    if (this.#isPaused(now)) return
    const ms = this.#nextPauseMs(pause)
    this.cool(ms, now)
  }

  /** Out of use until a trial succeeds; nothing while it is so already. Returns whether it changed. */
  leaveOut(trouble: 'open' | 'retired' | 'unhealthy', pause: Pause, now: number): boolean {
    // What an old credential did says nothing of the new one.
    if (trouble === 'retired' && this.#read(lane.credential) !== this.#credential) return false
    const held = this.trouble
    if (this.#isPaused(now) && held !== 'cooling' && (held !== trouble || trouble !== 'unhealthy'))
      return false
    this.#enter(trouble, this.#nextPauseMs(pause), now)
    return true
  }

  #isOnTrial(now: number): boolean {
    const held = this.#read(lane.trialUntil)
    return held !== 0 && untilTick(held, now) > 0
  }

  #isPaused(now: number): boolean {
    return !this.isClear && untilTick(this.#read(lane.until), now) > 0
  }

  #nextPauseMs({ firstMs, maxMs }: Pause): number {
    const streak = this.#read(lane.streak)
    this.#write(lane.streak, Math.min(streak + 1, longestStreak))
    return Math.min(maxMs, firstMs * 2 ** streak)
  }

  #enter(trouble: Trouble, ms: number, now: number): void {
    this.#write(lane.until, tickOf(now + ms))
    this.#write(lane.trialUntil, 0)
    this.#write(lane.trouble, troubles.indexOf(trouble))
    Atomics.add(this.#lanes, this.#start + lane.count, 1)
  }

  #read(which: number): number {
    return this.#lanes[this.#start + which] ?? 0
  }

  #write(which: number, value: number): void {
    Atomics.store(this.#lanes, this.#start + which, value)
  }
}
