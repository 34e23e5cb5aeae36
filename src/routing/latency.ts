/**
 * How long a target takes until its answer begins, as one worker sees it: a peak EWMA that believes a slow answer at
 * once and forgets it slowly (Finagle's `PeakEwma`), and the 95th percentile of the last calls.
 */

/** Time in which an old sample loses weight to 1/e. */
const decayMs = 10_000
/** What a failed call counts as, at least: failing quickly must not look attractive. */
const failureMs = 5000
/** Assumed of a target under way of which nothing is known yet. */
const unknownMs = 1000
const sampleCount = 128
const leastSamples = 20
/** The percentile is worked out anew after so many samples. */
const refreshEvery = 16

export class Latency {
  #ewmaMs = 0
  #at = 0
  #samples: Float64Array | null = null
  #count = 0
  #p95Ms = 0
  #p95Count = 0

  /** `ms` until the answer began; `now`: monotone milliseconds. */
  add(ms: number, now: number): void {
    if (ms >= this.#ewmaMs) this.#ewmaMs = ms
    else {
      const weight = Math.exp(-Math.max(0, now - this.#at) / decayMs)
      this.#ewmaMs = this.#ewmaMs * weight + ms * (1 - weight)
    }
    this.#at = now
    this.#samples ??= new Float64Array(sampleCount)
    this.#samples[this.#count % sampleCount] = ms
    this.#count += 1
  }

  addFailure(ms: number, now: number): void {
    const penalty = Math.max(ms, failureMs)
    if (penalty >= this.#ewmaMs) this.#ewmaMs = penalty
    this.#at = now
  }

  /** Expected time with one exchange more; `inFlight` are under way. */
  load(inFlight: number, now: number): number {
    if (this.#ewmaMs === 0) return inFlight === 0 ? 0 : unknownMs * (inFlight + 1)
    const faded = this.#ewmaMs * Math.exp(-Math.max(0, now - this.#at) / decayMs)
    return Math.max(faded, Number.MIN_VALUE) * (inFlight + 1)
  }

  /** Null until enough calls were seen. */
  get p95Ms(): number | null {
    if (this.#samples === null || this.#count < leastSamples) return null
    if (this.#p95Count === 0 || this.#count - this.#p95Count >= refreshEvery) {
      const sorted = this.#samples.slice(0, Math.min(this.#count, sampleCount)).sort()
      this.#p95Ms = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0
      this.#p95Count = this.#count
    }
    return this.#p95Ms
  }
}
