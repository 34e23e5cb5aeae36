/**
 * Cuts a reader that takes too little while output waits for it: at least one byte, and on average `bytesPerSecond`,
 * in each span of `spanMs`. While nothing waits nothing is asked, so a stream that has little to send is never cut.
 * Bounds: what the kernel's socket buffer holds is taken already, as far as this process can see; it is freed in large
 * pieces, so the span should be long and the rate low.
 */
import type { Socket } from 'node:net'
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import { Deadline } from './deadline.ts'
import { pendingOutput, takenOutput } from './flush-progress.ts'

export interface PaceTerms {
  readonly spanMs: number
  readonly bytesPerSecond: number
  /** Called once per start. */
  readonly tooSlow: () => void
}

export class ReplyPace {
  readonly #socket: Socket
  readonly #least: number
  readonly #deadline: Deadline
  readonly #tooSlow: () => void
  #mark = 0

  constructor(wheel: TimerWheel, socket: Socket, terms: PaceTerms) {
    this.#socket = socket
    this.#least = Math.max(1, (terms.spanMs * terms.bytesPerSecond) / 1000)
    this.#tooSlow = terms.tooSlow
    this.#deadline = new Deadline(wheel, terms.spanMs, () => this.#spanPassed())
  }

  /** Output waits. */
  start(): void {
    if (this.#deadline.runs) return
    this.#mark = takenOutput(this.#socket)
    this.#deadline.start()
  }

  /** All is taken, or nobody is there any more. */
  clear(): void {
    this.#deadline.clear()
  }

  #spanPassed(): void {
    if (pendingOutput(this.#socket) === 0) return
    const taken = takenOutput(this.#socket)
    if (taken - this.#mark < this.#least) this.#tooSlow()
    else {
      this.#mark = taken
      this.#deadline.restart()
    }
  }
}
