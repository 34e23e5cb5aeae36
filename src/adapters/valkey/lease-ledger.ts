/**
 * What this node has leased and holds in the store, as far as answers said. It names the tags to renew, and the slots
 * to write anew after the store was lost or an answer did not come: a hold that nobody knows of would never end, and
 * one that the store forgot would be given twice. Bound: one entry for each counter leased or held now.
 */
import type { CounterTerms } from '../../ports/central-counters.ts'

interface Entry {
  readonly tag: string
  readonly isHold: boolean
  units: number
}

export interface StoredCounter {
  /** Key in the store. */
  readonly name: string
  readonly tag: string
  readonly terms: CounterTerms
}

export class LeaseLedger {
  readonly #entries = new Map<string, Entry>()
  /** Slots of which the store may know something else. */
  readonly #doubtful = new Map<string, string>()
  /** Calls under way, by slot: until they end nobody can say what is held. */
  readonly #underWay = new Map<string, number>()

  note({ name, tag, terms }: StoredCounter, change: number): void {
    const entry = this.#entries.get(name) ?? { tag, isHold: terms.kind === 'concurrency', units: 0 }
    entry.units += change
    if (entry.units > 0) this.#entries.set(name, entry)
    else this.#entries.delete(name)
  }

  /** Runs `send` for `counters`; where it fails, their slots are in doubt. */
  async during<T>(counters: readonly StoredCounter[], send: () => Promise<T>): Promise<T> {
    const slots = counters.filter(({ terms }) => terms.kind === 'concurrency')
    for (const { name } of slots) this.#underWay.set(name, (this.#underWay.get(name) ?? 0) + 1)
    try {
      return await send()
    } catch (error) {
      for (const { name, tag } of slots) this.#doubtful.set(name, tag)
      throw error
    } finally {
      for (const { name } of slots) {
        const left = (this.#underWay.get(name) ?? 1) - 1
        if (left > 0) this.#underWay.set(name, left)
        else this.#underWay.delete(name)
      }
    }
  }

  tags(): ReadonlySet<string> {
    return new Set([...this.#entries.values()].map((entry) => entry.tag))
  }

  /** The connection is new: the store may have lost what it knew. */
  doubtAll(): void {
    for (const [name, { tag, isHold }] of this.#entries) if (isHold) this.#doubtful.set(name, tag)
  }

  /** Slots to write anew, by tag; no more in doubt once taken from here. */
  takeDoubtful(): Map<string, { readonly name: string; readonly units: number }[]> {
    const byTag = new Map<string, { readonly name: string; readonly units: number }[]>()
    for (const [name, tag] of this.#doubtful) {
      if (this.#underWay.has(name)) continue
      this.#doubtful.delete(name)
      const slots = byTag.get(tag) ?? []
      slots.push({ name, units: this.#entries.get(name)?.units ?? 0 })
      byTag.set(tag, slots)
    }
    return byTag
  }

  doubt(tag: string, slots: readonly { readonly name: string }[]): void {
    for (const { name } of slots) this.#doubtful.set(name, tag)
  }

  clear(): void {
    this.#entries.clear()
  }
}
