/**
 * The API keys that a worker knows, and the exchanges that each has under way, so that a revocation ends streams
 * at once. Filled by the control plane only; a key that is not here does not exist.
 */
import type { KeySnapshot } from '../domain/snapshot.ts'
import {
  type AddressMatcher,
  compileCidrs,
  compilePatterns,
  createKeyProof,
  type KeyProof,
  type PatternMatcher,
} from '../identity/index.ts'
import type { BodyHolder } from './body-budget.ts'

/** What a revocation must be able to end. `place` belongs to the list that holds it. */
export interface Interruptible {
  interrupt: ((reason: 'key-revoked') => void) | null
  /** Index in its list, or -1. */
  place: number
}

/**
 * Exchanges under way, in no order. Not a `Set`: a set that lives long is rebuilt every few hundred changes, and each
 * old table keeps its entries and points to the next table. Once one of them is promoted to the old generation, all
 * later exchanges outlive their scavenge (measured: 60 % of all garbage survived, a quarter of the CPU went there).
 */
export class UnderWay {
  readonly #members: Interruptible[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: Interruptible): void {
    member.place = this.#members.length
    this.#members.push(member)
  }

  delete(member: Interruptible): void {
    const { place } = member
    if (this.#members[place] !== member) return
    member.place = -1
    const last = this.#members.pop()
    if (last === undefined || last === member) return
    this.#members[place] = last
    last.place = place
  }

  interruptAll(): void {
    // Copy: each interrupt takes its exchange out of the list.
    for (const member of [...this.#members]) member.interrupt?.('key-revoked')
  }
}

export interface CompiledKey {
  readonly snapshot: KeySnapshot
  readonly proof: KeyProof
  /** Null: from anywhere. */
  readonly allowsAddress: AddressMatcher | null
  /** Null: whatever the subscriptions allow. */
  readonly allowsModel: PatternMatcher | null
  readonly allowsOperation: PatternMatcher | null
  readonly exchanges: UnderWay
  readonly bodies: BodyHolder
}

export interface KeyChange {
  readonly reset: boolean
  readonly upsert: readonly KeySnapshot[]
  readonly remove: readonly string[]
}

export interface KeyTable {
  readonly size: number
  find(keyId: string): CompiledKey | undefined
  /** Returns the ids of keys that cannot be compiled: they open nothing, all others are as told. */
  apply(change: KeyChange): readonly string[]
}

export function createKeyTable(): KeyTable {
  const keys = new Map<string, CompiledKey>()

  function remove(keyId: string): void {
    const key = keys.get(keyId)
    if (key === undefined) return
    keys.delete(keyId)
    key.exchanges.interruptAll()
  }

  function upsert(snapshot: KeySnapshot): boolean {
    try {
      const key = compileKey(snapshot, keys.get(snapshot.keyId))
      keys.set(snapshot.keyId, key)
      if (snapshot.isQuarantined) key.exchanges.interruptAll()
      return true
    } catch {
      remove(snapshot.keyId)
      return false
    }
  }

  return {
    get size() {
      return keys.size
    },
    find: (keyId) => keys.get(keyId),
    apply(change) {
      if (change.reset) {
        const kept = new Set(change.upsert.map((key) => key.keyId))
        for (const keyId of [...keys.keys()]) if (!kept.has(keyId)) remove(keyId)
      }
      const refused = change.upsert.filter((key) => !upsert(key)).map((key) => key.keyId)
      for (const keyId of change.remove) remove(keyId)
      return refused
    },
  }
}

function compileKey(snapshot: KeySnapshot, before: CompiledKey | undefined): CompiledKey {
  return {
    snapshot,
    proof: createKeyProof(snapshot),
    allowsAddress: snapshot.cidrs.length === 0 ? null : compileCidrs(snapshot.cidrs),
    allowsModel: snapshot.models === null ? null : compilePatterns(snapshot.models),
    allowsOperation: snapshot.operations === null ? null : compilePatterns(snapshot.operations),
    exchanges: before?.exchanges ?? new UnderWay(),
    bodies: before?.bodies ?? { heldBytes: 0 },
  }
}
