/**
 * One restartable deadline of a connection on the shared wheel. Arming again allocates nothing.
 * Bound: one wheel entry each; accuracy is the wheel's tick.
 */
import type { TimerHandle, TimerWheel } from '../../kernel/timer-wheel.ts'

export class Deadline {
  readonly #wheel: TimerWheel
  readonly #delayMs: number
  readonly #fire: () => void
  #handle: TimerHandle | null = null
  #armed = false

  constructor(wheel: TimerWheel, delayMs: number, fire: () => void) {
    this.#wheel = wheel
    this.#delayMs = delayMs
    this.#fire = fire
  }

  get runs(): boolean {
    return this.#armed
  }

  /** Begin, unless it runs already. */
  start(): void {
    if (!this.#armed) this.restart()
  }

  /** Begin anew. */
  restart(): void {
    this.#armed = true
    if (this.#handle !== null) this.#handle.refresh()
    else {
      this.#handle = this.#wheel.set(this.#delayMs, () => {
        this.#armed = false
        this.#fire()
      })
    }
  }

  clear(): void {
    if (!this.#armed) return
    this.#armed = false
    this.#handle?.clear()
  }
}
