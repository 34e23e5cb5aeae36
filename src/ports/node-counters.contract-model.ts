/** For tests: one counter in exact arithmetic, levels times the window in whole numbers. */

export interface ExactTerms {
  /** Units that drain in `windowMs`; 0: none do (calendar, concurrency). */
  readonly amount: number
  readonly windowMs: number
  /** Most units at once. */
  readonly burst: number
}

export class ExactCounter {
  readonly #amount: bigint
  readonly #windowMs: bigint
  readonly #burst: bigint
  #level = 0n
  #held = 0n
  #at: number

  constructor({ amount, windowMs, burst }: ExactTerms, now: number) {
    this.#amount = BigInt(amount)
    this.#windowMs = BigInt(windowMs)
    this.#burst = BigInt(burst)
    this.#at = now
  }

  /** Units that are there, in millionths of a unit, rounded down. */
  micros(now: number): bigint {
    const drained = this.#level - BigInt(now - this.#at) * this.#amount
    this.#level = drained > 0n ? drained : 0n
    this.#at = now
    const there = (this.#burst - this.#held) * this.#windowMs - this.#level
    return (there * 1_000_000n) / this.#windowMs
  }

  /** Put aside and use, from the level that `micros` has just brought up to date. */
  move(hold: number, use: number): void {
    this.#held += BigInt(hold)
    this.#level += BigInt(use) * this.#windowMs
  }
}
