/**
 * What a process knows to have leased, so that a lease whose answer was lost does not stay with nobody: the database
 * may have granted it before it died, and would hold it until the node is gone. The next call on that counter finds more
 * leased than is known, and gives the difference back.
 *
 * Known from the answers of this process alone; what an earlier thread of it leased is taken as the first answer tells.
 * Bound: `maxUnsure` counters in doubt; beyond it their lost leases stay until the node ends.
 */
const maxUnsure = 10_000

export class LeaseMemory {
  readonly #known = new Map<string, number>()
  /** Counters of calls that failed: nobody knows what came of them. */
  readonly #unsure = new Set<string>()
  readonly #underWay = new Map<string, number>()

  /** Run a call on counters. Others at the same time may have leases that are not known yet. */
  async during<T>(names: readonly string[], call: () => Promise<T>): Promise<T> {
    for (const name of names) this.#underWay.set(name, (this.#underWay.get(name) ?? 0) + 1)
    try {
      return await call()
    } catch (error) {
      if (this.#unsure.size > maxUnsure) this.#unsure.clear()
      for (const name of names) this.#unsure.add(name)
      throw error
    } finally {
      for (const name of names) this.#leave(name)
    }
  }

  #leave(name: string): void {
    const left = (this.#underWay.get(name) ?? 1) - 1
    if (left > 0) this.#underWay.set(name, left)
    else this.#underWay.delete(name)
  }

  /** Of `leased` units in the database, those that nobody has. */
  surplusOf(name: string, leased: number): number {
    const known = this.#known.get(name)
    if (known === undefined || !this.#unsure.has(name) || this.#underWay.get(name) !== 1) return 0
    return Math.max(0, leased - known)
  }

  /** A report is known to have been taken before that ended so many units. */
  settled(name: string, units: number): void {
    const known = this.#known.get(name)
    // Otherwise a call since then has told what is leased without them.
    if (known !== undefined && this.#unsure.has(name)) this.#known.set(name, Math.max(0, known - units))
  }

  /** A call has ended well, and so many units are leased now. Nothing else was under way: it is what the process has. */
  learn(name: string, { leased, change }: { readonly leased: number; readonly change: number }): void {
    const isAlone = this.#underWay.get(name) === 1
    const known = this.#known.get(name)
    const now = known === undefined || isAlone ? leased : Math.max(0, known + change)
    if (isAlone) this.#unsure.delete(name)
    if (now > 0 || this.#unsure.has(name)) this.#known.set(name, now)
    else this.#known.delete(name)
  }
}
