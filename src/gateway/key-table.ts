/**
 * The API keys that a worker knows, and the exchanges that each has under way, so that a revocation ends streams
 * at once. Filled by the control plane only; a key that is not here does not exist.
 */
import type { KeySnapshot } from '../domain/snapshot.ts'
import { type AddressMatcher, compileCidrs, compilePatterns, type PatternMatcher } from '../identity/index.ts'

/** What a revocation must be able to end. */
export interface Interruptible {
  interrupt: ((reason: 'key-revoked') => void) | null
}

export interface CompiledKey {
  readonly snapshot: KeySnapshot
  /** Null: from anywhere. */
  readonly allowsAddress: AddressMatcher | null
  /** Null: whatever the subscriptions allow. */
  readonly allowsModel: PatternMatcher | null
  readonly allowsOperation: PatternMatcher | null
  readonly exchanges: Set<Interruptible>
}

export interface KeyChange {
  readonly reset: boolean
  readonly upsert: readonly KeySnapshot[]
  readonly remove: readonly string[]
}

export interface KeyTable {
  readonly size: number
  find(keyId: string): CompiledKey | undefined
  apply(change: KeyChange): void
}

export function createKeyTable(): KeyTable {
  const keys = new Map<string, CompiledKey>()

  function remove(keyId: string): void {
    const key = keys.get(keyId)
    if (key === undefined) return
    keys.delete(keyId)
    // Copy: each interrupt takes its exchange out of the set.
    for (const exchange of [...key.exchanges]) exchange.interrupt?.('key-revoked')
  }

  function upsert(snapshot: KeySnapshot): void {
    const exchanges = keys.get(snapshot.keyId)?.exchanges ?? new Set<Interruptible>()
    keys.set(snapshot.keyId, {
      snapshot,
      allowsAddress: snapshot.cidrs.length === 0 ? null : compileCidrs(snapshot.cidrs),
      allowsModel: snapshot.models === null ? null : compilePatterns(snapshot.models),
      allowsOperation: snapshot.operations === null ? null : compilePatterns(snapshot.operations),
      exchanges,
    })
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
      for (const key of change.upsert) upsert(key)
      for (const keyId of change.remove) remove(keyId)
    },
  }
}
