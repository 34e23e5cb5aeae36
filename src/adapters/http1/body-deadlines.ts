/**
 * The two deadlines of a request body.
 *
 * - It must be there within `bodyTimeoutMs`. One that streams through may last as long as it moves, so for it this is
 *   the longest silence.
 * - From `bodyGraceMs` on it must keep up `bodyBytesPerSecond`, on average over each further span of that length: a
 *   body that drips keeps the first deadline away for ever.
 *
 * Time during which the reader has paused the body does not count: then it is not the client who is slow.
 */
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import type { ListenerBounds } from '../../ports/listener.ts'
import { Deadline } from './deadline.ts'

export interface BodyProgress {
  /** Bytes of content so far. */
  received(): number
  /** Whether each piece is handed on as it comes. */
  streams(): boolean
  /** A deadline has passed; called once per start. */
  late(): void
}

type BodyBounds = Pick<ListenerBounds, 'bodyTimeoutMs' | 'bodyGraceMs' | 'bodyBytesPerSecond'>

export class BodyDeadlines {
  readonly #progress: BodyProgress
  readonly #least: number
  readonly #whole: Deadline
  readonly #span: Deadline
  #mark = 0

  constructor(wheel: TimerWheel, bounds: BodyBounds, progress: BodyProgress) {
    this.#progress = progress
    this.#least = (bounds.bodyGraceMs * bounds.bodyBytesPerSecond) / 1000
    this.#whole = new Deadline(wheel, bounds.bodyTimeoutMs, () => this.#expire())
    this.#span = new Deadline(wheel, bounds.bodyGraceMs, () => this.#spanPassed())
  }

  start(): void {
    this.#mark = this.#progress.received()
    this.#whole.restart()
    if (this.#least > 0) this.#span.restart()
  }

  /** Bytes have come. */
  progress(): void {
    if (this.#progress.streams()) this.#whole.restart()
  }

  clear(): void {
    this.#whole.clear()
    this.#span.clear()
  }

  #spanPassed(): void {
    const received = this.#progress.received()
    if (received - this.#mark < this.#least) {
      this.#expire()
      return
    }
    this.#mark = received
    this.#span.restart()
  }

  #expire(): void {
    this.clear()
    this.#progress.late()
  }
}
