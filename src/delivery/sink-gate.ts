/**
 * How many calls of one sink may be under way, and when. Additive increase, multiplicative decrease: each call that
 * the receiver took adds a part of a place, each that it did not halves them. After a failure one call at a time goes
 * as a probe, after a pause that doubles; the circuit counts as open from the fifth failure in a row on.
 *
 *   taken ─▶ limit + 1/limit        failed ─▶ limit / 2, pause = min(60 s, 0.5 s · 2ⁿ) · [½, 1)   or Retry-After
 */
import type { Clock } from '../kernel/clock.ts'

export interface SinkGateOptions {
  /** Most calls at a time. */
  readonly most: number
  readonly clock: Pick<Clock, 'monotonic'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly firstPauseMs?: number
  readonly longestPauseMs?: number
}

const defaultFirstPauseMs = 500
const defaultLongestPauseMs = 60_000
/** No receiver may silence itself for longer: it may not mean it. */
const longestAskedPauseMs = 600_000
const failuresUntilOpen = 5

export class SinkGate {
  readonly #options: SinkGateOptions
  #limit = 1
  #underWay = 0
  #failures = 0
  #takenCalls = 0
  /** Monotone milliseconds. */
  #pausedUntil = 0
  #timer: NodeJS.Timeout | null = null
  #waiting: (() => void)[] = []

  constructor(options: SinkGateOptions) {
    this.#options = options
  }

  /** Resolves when a call may begin; it is ended by `taken` or `failed`. Rejects once `signal` says stop. */
  enter(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== go)
        reject(new Error('the sink is being closed'))
      }
      const go = (): void => {
        signal.removeEventListener('abort', stop)
        this.#underWay += 1
        resolve()
      }
      if (signal.aborted) return stop()
      signal.addEventListener('abort', stop, { once: true })
      this.#waiting.push(go)
      this.#admit()
    })
  }

  /** The receiver took it, or said of each event what is the matter with it. */
  taken(): void {
    this.#underWay -= 1
    this.#takenCalls += 1
    this.#failures = 0
    this.#limit = Math.min(this.#options.most, this.#limit + 1 / this.#limit)
    this.#admit()
  }

  /** The receiver took nothing. */
  failed(retryAfterMs: number | null): void {
    this.#underWay -= 1
    this.#failures += 1
    this.#limit = Math.max(1, this.#limit / 2)
    this.#pause(Math.max(this.pauseMs(this.#failures), retryAfterMs ?? 0))
    this.#admit()
  }

  /** It took some and not others: less at a time, after a pause. */
  strained(pauseMs: number): void {
    this.#underWay -= 1
    this.#failures = 0
    this.#limit = Math.max(1, this.#limit / 2)
    this.#pause(pauseMs)
    this.#admit()
  }

  /** Pause before the attempt after `failures` failures, jittered. */
  pauseMs(failures: number): number {
    const {
      firstPauseMs = defaultFirstPauseMs,
      longestPauseMs = defaultLongestPauseMs,
      random,
    } = this.#options
    return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures - 1, 20)) * (0.5 + random() / 2)
  }

  get circuit(): 'closed' | 'half-open' | 'open' {
    if (this.#failures < failuresUntilOpen) return 'closed'
    return this.#waitMs() > 0 ? 'open' : 'half-open'
  }

  /** Calls that were taken so far. */
  get takenCalls(): number {
    return this.#takenCalls
  }

  get places(): number {
    return this.#failures > 0 ? 1 : Math.floor(this.#limit)
  }

  #pause(ms: number): void {
    const until = this.#options.clock.monotonic() + Math.min(ms, longestAskedPauseMs)
    this.#pausedUntil = Math.max(this.#pausedUntil, until)
  }

  #waitMs(): number {
    return this.#pausedUntil - this.#options.clock.monotonic()
  }

  #admit(): void {
    const waitMs = this.#waitMs()
    if (waitMs > 0) return this.#comeBack(waitMs)
    while (this.#underWay < this.places) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      next()
    }
  }

  #comeBack(waitMs: number): void {
    if (this.#timer !== null || this.#waiting.length === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#admit()
    }, Math.ceil(waitMs))
    this.#timer.unref()
  }
}
