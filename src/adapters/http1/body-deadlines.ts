/**
 * The two deadlines of a request body: no progress for `bodyTimeoutMs`, and too little in a window of that length.
 * A body that drips keeps the first away for ever; the second demands 256 bytes a second on average.
 */
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import { Deadline } from './deadline.ts'

const bytesPerSecond = 256

export interface BodyProgress {
  /** Bytes of content so far. */
  received(): number
  /** A deadline has passed; called once per start. */
  late(): void
}

export class BodyDeadlines {
  readonly #progress: BodyProgress
  readonly #least: number
  readonly #still: Deadline
  readonly #window: Deadline
  #mark = 0

  constructor(wheel: TimerWheel, bodyTimeoutMs: number, progress: BodyProgress) {
    this.#progress = progress
    this.#least = (bodyTimeoutMs * bytesPerSecond) / 1000
    this.#still = new Deadline(wheel, bodyTimeoutMs, () => this.#expire())
    this.#window = new Deadline(wheel, bodyTimeoutMs, () => this.#windowPassed())
  }

  start(): void {
    this.#mark = this.#progress.received()
    this.#still.restart()
    this.#window.restart()
  }

  /** Bytes have come. */
  progress(): void {
    this.#still.restart()
  }

  clear(): void {
    this.#still.clear()
    this.#window.clear()
  }

  #windowPassed(): void {
    const received = this.#progress.received()
    if (received - this.#mark < this.#least) {
      this.#expire()
      return
    }
    this.#mark = received
    this.#window.restart()
  }

  #expire(): void {
    this.clear()
    this.#progress.late()
  }
}
