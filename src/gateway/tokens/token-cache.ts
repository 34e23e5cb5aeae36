/**
 * Tokens that were found good, by the SHA-256 of their whole text: never by a part of it, because tokens of one
 * issuer begin alike. A verdict holds until the token ends, it is revoked, its issuer's row changes or its key goes.
 *
 * Bound: `maxEntries`, the one that was used longest ago leaves first. A token with exchanges under way stays within
 * reach of revocations after it has left.
 */
import type { CompiledIssuer, TokenFacts } from '../../identity/index.ts'
import type { CompiledKey } from '../key-table.ts'
import type { CompiledApplication, Snapshot } from '../snapshot.ts'

export interface TokenEntry {
  readonly digest: string
  readonly issuer: CompiledIssuer
  readonly facts: TokenFacts
  /** Thumbprint of the key that signed it; null: its issuer was asked. */
  readonly signedBy: string | null
  /** Unix milliseconds. */
  readonly believedUntil: number
  readonly key: CompiledKey
  /** With the team that the token names; of the snapshot it was last used under. */
  application: CompiledApplication | null
  under: Snapshot | null
}

const defaultMaxEntries = 20_000

export class TokenCache {
  readonly #entries = new Map<string, TokenEntry>()
  /** Out of use, with exchanges that still run. */
  readonly #leaving = new Set<TokenEntry>()
  readonly #maxEntries: number

  constructor(maxEntries = defaultMaxEntries) {
    this.#maxEntries = maxEntries
  }

  get size(): number {
    return this.#entries.size
  }

  /** The live verdict; `now` in Unix milliseconds. */
  find(digest: string, now: number): TokenEntry | null {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return null
    // The map keeps the order of insertion: what is used goes to its end.
    this.#entries.delete(digest)
    if (entry.believedUntil <= now) {
      this.#leave(entry)
      return null
    }
    this.#entries.set(digest, entry)
    return entry
  }

  add(entry: TokenEntry): void {
    const before = this.#entries.get(entry.digest)
    if (before !== undefined) this.#drop(before)
    this.#entries.set(entry.digest, entry)
    if (this.#entries.size <= this.#maxEntries) return
    for (const oldest of this.#entries.values()) {
      this.#drop(oldest)
      break
    }
    for (const each of this.#leaving) if (each.key.exchanges.size === 0) this.#leaving.delete(each)
  }

  /** Verdicts that are no longer to be used; exchanges under way go on. */
  forget(isMeant: (entry: TokenEntry) => boolean): void {
    for (const entry of this.#entries.values()) if (isMeant(entry)) this.#drop(entry)
  }

  /** Verdicts that are taken back: exchanges under way end, too. */
  revoke(isMeant: (entry: TokenEntry) => boolean): void {
    this.forget(isMeant)
    for (const entry of this.#leaving) {
      if (!isMeant(entry)) continue
      this.#leaving.delete(entry)
      entry.key.exchanges.interruptAll()
    }
  }

  #drop(entry: TokenEntry): void {
    this.#entries.delete(entry.digest)
    this.#leave(entry)
  }

  #leave(entry: TokenEntry): void {
    if (entry.key.exchanges.size > 0) this.#leaving.add(entry)
  }
}
