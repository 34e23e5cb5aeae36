/**
 * Revocations of tokens as a worker knows them. A token is asked about after whatever its verification waited for, in
 * the same turn in which its verdict is kept, so no verdict outlives a revocation that came meanwhile.
 * Bound: those of the store, which ends them by itself.
 */
import type { RevocationSnapshot } from '../../domain/token-issuer.ts'

/** What of a token a revocation can name. */
export interface RevocableToken {
  readonly issuerId: string
  readonly subject: string
  readonly tokenId: string | null
  /** Unix milliseconds; null: unknown, so it counts as issued before every revocation. */
  readonly issuedAt: number | null
}

export interface Revocations {
  readonly size: number
  add(list: readonly RevocationSnapshot[], change: { readonly reset: boolean; readonly now: number }): void
  covers(token: RevocableToken): boolean
}

const separator = '\u0000'

function keyOf(issuerId: string, kind: RevocationSnapshot['kind'], value: string): string {
  return `${issuerId}${separator}${kind}${separator}${value}`
}

export function createRevocations(): Revocations {
  const known = new Map<string, RevocationSnapshot>()

  function isMeant(key: string, issuedAt: number | null): boolean {
    const revocation = known.get(key)
    return revocation !== undefined && (issuedAt === null || issuedAt <= revocation.issuedUntil)
  }

  return {
    get size() {
      return known.size
    },
    add(list, { reset, now }) {
      if (reset) known.clear()
      else for (const [key, { expiresAt }] of known) if (expiresAt <= now) known.delete(key)
      for (const each of list) {
        const key = keyOf(each.issuerId, each.kind, each.value)
        const before = known.get(key)
        if (before === undefined || before.issuedUntil < each.issuedUntil) known.set(key, each)
      }
    },
    covers({ issuerId, subject, tokenId, issuedAt }) {
      if (known.size === 0) return false
      return (
        (tokenId !== null && known.has(keyOf(issuerId, 'token', tokenId))) ||
        isMeant(keyOf(issuerId, 'subject', subject), issuedAt) ||
        isMeant(keyOf(issuerId, 'issuer', ''), issuedAt)
      )
    },
  }
}
