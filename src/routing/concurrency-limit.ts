/**
 * How many exchanges a target bears at once, found out by the time to the first token: while it stays what it was in
 * the long run the limit grows, when it rises the limit shrinks (Netflix concurrency-limits, `Gradient2Limit`). The
 * time to the first token, because the whole time of an answer says how long it is, not how busy the provider is.
 */

export interface ConcurrencyTerms {
  readonly min: number
  readonly max: number
}

/** How much slower than in the long run is still as usual. */
const tolerance = 1.5
/** Share of a new limit that is taken on at once. */
const smoothing = 0.2
/** Grows by this while all is well: a queue that small at the provider is no harm. */
const headroom = 4
const longWindow = 600
const warmUp = 10
const initial = 20
/** What a refusal for load does to the limit. */
const backoff = 0.9

export class ConcurrencyLimit {
  #terms: ConcurrencyTerms = { min: 1, max: initial }
  #limit = initial
  #longMs = 0
  #count = 0

  /** The limit within these bounds, which hold from now on. */
  within(terms: ConcurrencyTerms): number {
    this.#terms = terms
    this.#set(this.#limit)
    return Math.floor(this.#limit)
  }

  /** A first token after `ms`, with `inFlight` exchanges under way. */
  sample(ms: number, inFlight: number): void {
    const time = Math.max(ms, 0.1)
    this.#count += 1
    if (this.#count <= warmUp) this.#longMs += (time - this.#longMs) / this.#count
    else this.#longMs += (time - this.#longMs) * (2 / (longWindow + 1))
    // After a long bad time the average must come down again, or it would forgive everything.
    if (this.#longMs / time > 2) this.#longMs *= 0.95
    // Of a limit that is not used up, nothing is learned.
    if (inFlight < this.#limit / 2) return
    const gradient = Math.max(0.5, Math.min(1, (tolerance * this.#longMs) / time))
    const wanted = this.#limit * gradient + headroom
    this.#set(this.#limit * (1 - smoothing) + wanted * smoothing)
  }

  /** The target refused for load, or did not answer in time. */
  dropped(): void {
    this.#set(this.#limit * backoff)
  }

  #set(limit: number): void {
    this.#limit = Math.min(this.#terms.max, Math.max(this.#terms.min, limit))
  }
}
