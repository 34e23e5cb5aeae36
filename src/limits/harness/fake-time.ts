/** For tests: a clock that stands still, and a timer wheel that turns when it is moved. */
import type { Clock } from '../../kernel/clock.ts'
import type { TimerHandle, TimerWheel } from '../../kernel/timer-wheel.ts'

interface Timer {
  at: number
  readonly delayMs: number
  readonly fire: () => void
}

export class FakeTime implements Clock, TimerWheel {
  #now: number
  readonly #timers = new Set<Timer>()

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  set(delayMs: number, fire: () => void): TimerHandle {
    const timer: Timer = { at: this.#now + delayMs, delayMs, fire }
    this.#timers.add(timer)
    return {
      clear: () => void this.#timers.delete(timer),
      refresh: () => {
        timer.at = this.#now + delayMs
        this.#timers.add(timer)
      },
    }
  }

  stop(): void {
    this.#timers.clear()
  }

  /** Let time pass: timers fire at their time, and what they start settles before the next. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.at)
      this.#timers.delete(next)
      next.fire()
      await settled()
    }
    this.#now = end
    await settled()
  }

  /** Let time pass with nothing under way. */
  jump(ms: number): void {
    this.#now += ms
  }
}

/** All promises that can settle without time passing have. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
