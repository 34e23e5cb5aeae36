/**
 * How loaded this worker is, and who is turned away for it. Two signs: how late the event loop is, as a running mean
 * over about a second, and how much memory the process holds.
 *
 *   pressure   share of its bound at which a class is turned away
 *              low     normal   high     critical
 *   delay      1       1.5      2        4
 *   memory     0.85    0.9      0.95     1
 *
 * The loop is measured by a timer of our own: timers run before sockets are read, so what piled up during a stall is
 * judged by the stall. One timer a worker; asking costs a comparison.
 */
import { totalmem } from 'node:os'
import { type PriorityClass, priorityClasses } from '../domain/limits.ts'
import type { Clock } from '../kernel/clock.ts'

export interface LoadBounds {
  /** Delay of the event loop at which the lowest class is turned away; 0: not watched. Milliseconds. */
  readonly loopDelayMs: number
  /** Resident memory of the process; 0: what the container or the machine has. Bytes. */
  readonly memoryBytes: number
}

export interface LoadFigures {
  /** Running mean. Milliseconds. */
  readonly loopDelayMs: number
  readonly memoryBytes: number
  /** Exchanges turned away since the start, by class. */
  readonly shed: Readonly<Record<PriorityClass, number>>
}

interface Threshold {
  readonly delay: number
  readonly memory: number
}
const thresholds: Readonly<Record<PriorityClass, Threshold>> = Object.freeze({
  critical: { delay: 4, memory: 1 },
  high: { delay: 2, memory: 0.95 },
  normal: { delay: 1.5, memory: 0.9 },
  low: { delay: 1, memory: 0.85 },
})

const sampleMs = 50
/** How fast the mean follows. */
const settlingMs = 1000
const memoryEveryMs = 500

export interface LoadGaugeParts {
  readonly clock: Clock
  readonly readMemory?: () => number
  /** Each time the loop was looked at: how late it was. Milliseconds. */
  readonly onSample?: (lateMs: number) => void
  /** Exchanges begin to be turned away; called at most every `toldEveryMs`. */
  readonly onShedding?: (text: string) => void
}

const toldEveryMs = 10_000

export class LoadGauge {
  readonly #clock: Clock
  readonly #readMemory: () => number
  readonly #onSample: (lateMs: number) => void
  readonly #onShedding: (text: string) => void
  #toldAt = Number.NEGATIVE_INFINITY
  #bounds: LoadBounds = { loopDelayMs: 0, memoryBytes: 0 }
  #timer: NodeJS.Timeout | null = null
  #sampledAt = 0
  #memoryReadAt = Number.NEGATIVE_INFINITY
  #delayMs = 0
  #memoryBytes = 0
  /** Classes with this rank and above are turned away; one more than there are: none. */
  #shedFrom: number = priorityClasses.length
  readonly #shed: Record<PriorityClass, number> = { critical: 0, high: 0, normal: 0, low: 0 }

  constructor({ clock, readMemory = process.memoryUsage.rss, ...told }: LoadGaugeParts) {
    const { onSample = () => {}, onShedding = () => {} } = told
    this.#clock = clock
    this.#readMemory = readMemory
    this.#onSample = onSample
    this.#onShedding = onShedding
  }

  /** Watch against these bounds from now on; without a bound for the loop nothing is watched. */
  watch(bounds: LoadBounds): void {
    this.#bounds = { ...bounds, memoryBytes: bounds.memoryBytes || availableMemory() }
    if (bounds.loopDelayMs === 0) return this.stop()
    if (this.#timer !== null) return
    this.#sampledAt = this.#clock.monotonic()
    this.#timer = setInterval(() => this.#sample(), sampleMs)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#delayMs = 0
    this.#shedFrom = priorityClasses.length
  }

  /** True: turn an exchange of this class away. Counts it. */
  sheds(priority: PriorityClass): boolean {
    if (this.#shedFrom === priorityClasses.length) return false
    if (priorityClasses.indexOf(priority) < this.#shedFrom) return false
    this.#shed[priority] += 1
    return true
  }

  get figures(): LoadFigures {
    return { loopDelayMs: this.#delayMs, memoryBytes: this.#memoryBytes, shed: { ...this.#shed } }
  }

  #sample(): void {
    const now = this.#clock.monotonic()
    const passed = now - this.#sampledAt
    this.#sampledAt = now
    // Weighted by time: a stall counts for as long as it lasted.
    const weight = 1 - Math.exp(-passed / settlingMs)
    const lateMs = Math.max(0, passed - sampleMs)
    this.#onSample(lateMs)
    this.#delayMs += weight * (lateMs - this.#delayMs)
    if (now - this.#memoryReadAt >= memoryEveryMs) {
      this.#memoryReadAt = now
      this.#memoryBytes = this.#readMemory()
    }
    this.#shedFrom = this.#judge()
    if (this.#shedFrom < priorityClasses.length) this.#tell(now)
  }

  #tell(now: number): void {
    if (now - this.#toldAt < toldEveryMs) return
    this.#toldAt = now
    const classes = priorityClasses.slice(this.#shedFrom).join(', ')
    const megabytes = Math.round(this.#memoryBytes / 1_000_000)
    this.#onShedding(
      `turning away ${classes}: the event loop is ${Math.round(this.#delayMs)} ms late, the process holds ${megabytes} MB`,
    )
  }

  #judge(): number {
    const delay = this.#delayMs / this.#bounds.loopDelayMs
    const memory = this.#memoryBytes / this.#bounds.memoryBytes
    const turnedAway = priorityClasses.findIndex(
      (priority) => delay >= thresholds[priority].delay || memory >= thresholds[priority].memory,
    )
    return turnedAway < 0 ? priorityClasses.length : turnedAway
  }
}

/** What the container allows, where it says so, or what the machine has. */
function availableMemory(): number {
  const machine = totalmem()
  const allowed = process.constrainedMemory()
  return allowed > 0 && allowed < machine ? allowed : machine
}
