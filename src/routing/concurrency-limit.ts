/**
 * How many exchanges a deployment bears at once, found out by the time to the first token: while it stays what it was in
 * the long run the limit grows, when it rises the limit shrinks (Netflix concurrency-limits, `Gradient2Limit`). The
 * time to the first token, because the whole time of an answer says how long it is, not how busy the provider is.
 *
 * One limit for all models of the deployment, because they stand behind one endpoint and one account. What is usual
 * differs by model, so each keeps its own long run (`UsualTime`) and tells the limit how much slower it is than that.
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

/** What is usual for one model. */
export class UsualTime {
  #longMs = 0
  #count = 0

  /** A first token after `ms`: how many times slower than usual. */
  slowness(ms: number): number {
    const time = Math.max(ms, 0.1)
    this.#count += 1
    if (this.#count <= warmUp) this.#longMs += (time - this.#longMs) / this.#count
    else this.#longMs += (time - this.#longMs) * (2 / (longWindow + 1))
    // After a long bad time the average must come down again, or it would forgive everything.
    if (this.#longMs / time > 2) this.#longMs *= 0.95
    return time / this.#longMs
  }
}

export class ConcurrencyLimit {
  /** Exchanges under way at this worker, of all models. */
  inFlight = 0
  /** Those of all routes to the deployment together; null: none of them has a limit, and nothing is learned. */
  bounds: ConcurrencyTerms | null = null
  #limit = initial

  /** As many are under way as a route with these bounds sends there. */
  isFull(terms: ConcurrencyTerms): boolean {
    return this.inFlight >= Math.floor(clamp(this.#limit, terms))
  }

  /** A first token came so many times slower than usual. */
  sample(slowness: number): void {
    // Of a limit that is not used up, nothing is learned.
    if (this.inFlight < this.#limit / 2) return
    const gradient = Math.max(0.5, Math.min(1, tolerance / slowness))
    const wanted = this.#limit * gradient + headroom
    this.#set(this.#limit * (1 - smoothing) + wanted * smoothing)
  }

  /** The deployment refused for load, or did not answer in time. */
  dropped(): void {
    this.#set(this.#limit * backoff)
  }

  #set(limit: number): void {
    if (this.bounds !== null) this.#limit = clamp(limit, this.bounds)
  }
}

function clamp(limit: number, { min, max }: ConcurrencyTerms): number {
  return Math.min(max, Math.max(min, limit))
}

/** Bounds that leave each of two routes all that it allows. */
export function widest(a: ConcurrencyTerms | null, b: ConcurrencyTerms | null): ConcurrencyTerms | null {
  if (a === null || b === null) return a ?? b
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}
