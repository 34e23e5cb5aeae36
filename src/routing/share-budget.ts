/**
 * A budget of extra calls (retries, hedges) as a share of a route's recent exchanges: each exchange pays in its part,
 * each extra call takes one. A quiet route may still make a few; a failing one cannot multiply its load. Per worker.
 */

/** What a budget begins with and holds at most: so many extra calls at once. */
const most = 10

export class ShareBudget {
  readonly #share: number
  #left = most

  /** @param percent extra calls per hundred exchanges */
  constructor(percent: number) {
    this.#share = percent / 100
  }

  /** An exchange began. */
  payIn(): void {
    this.#left = Math.min(most, this.#left + this.#share)
  }

  take(): boolean {
    if (this.#share === 0 || this.#left < 1) return false
    this.#left -= 1
    return true
  }
}

/** A random wait up to `baseMs`, doubled with each round (full jitter). */
export function jitteredBackoffMs(
  round: number,
  {
    baseMs,
    maxMs,
    random,
  }: { readonly baseMs: number; readonly maxMs: number; readonly random: () => number },
): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(round, 20)) * random()
}
