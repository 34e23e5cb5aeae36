/**
 * Replies under idempotency keys, in memory: one book per node, gone with the process, so no content rests on disk.
 * Bounds: `maxEntries`, `maxBytes`, `ttlMs`; the oldest reply goes first. A claim that never ends expires too.
 */
import type {
  ClaimOutcome,
  IdempotencyBook,
  IdempotencyClaim,
  RememberedReply,
} from '../../ports/idempotency.ts'

export interface IdempotencyBounds {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly ttlMs: number
}

export const defaultIdempotencyBounds: IdempotencyBounds = Object.freeze({
  maxEntries: 100_000,
  maxBytes: 67_108_864,
  ttlMs: 86_400_000,
})

interface Entry {
  readonly fingerprint: string
  readonly expiresAt: number
  reply: RememberedReply | null
}

class MemoryIdempotencyBook implements IdempotencyBook {
  readonly #now: () => number
  readonly #bounds: IdempotencyBounds
  /** In order of age: a Map keeps the order of insertion. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(now: () => number, bounds: IdempotencyBounds) {
    this.#now = now
    this.#bounds = bounds
  }

  claim(claim: IdempotencyClaim, done: (outcome: ClaimOutcome) => void): void {
    const name = nameOf(claim)
    const entry = this.#entries.get(name)
    if (entry !== undefined && entry.expiresAt > this.#now()) return done(outcomeOf(entry, claim))
    if (entry !== undefined) this.#drop(name, entry)
    this.#makeRoom()
    const expiresAt = this.#now() + this.#bounds.ttlMs
    this.#entries.set(name, { fingerprint: claim.fingerprint, expiresAt, reply: null })
    done({ kind: 'claimed' })
  }

  complete(claim: IdempotencyClaim, reply: RememberedReply): void {
    const entry = this.#entries.get(nameOf(claim))
    if (entry === undefined || entry.reply !== null || entry.fingerprint !== claim.fingerprint) return
    entry.reply = reply
    this.#bytes += reply.body.byteLength
    this.#makeRoom()
  }

  abandon(claim: IdempotencyClaim): void {
    const name = nameOf(claim)
    const entry = this.#entries.get(name)
    if (entry !== undefined && entry.reply === null && entry.fingerprint === claim.fingerprint)
      this.#entries.delete(name)
  }

  #drop(name: string, entry: Entry): void {
    this.#entries.delete(name)
    this.#bytes -= entry.reply?.body.byteLength ?? 0
  }

  /** Replies go, oldest first. A request under way keeps its claim unless claims alone fill the book. */
  #makeRoom(): void {
    if (this.#hasRoom()) return
    for (const [name, entry] of this.#entries) {
      if (entry.reply === null) continue
      this.#drop(name, entry)
      if (this.#hasRoom()) return
    }
    const oldest = this.#entries.entries().next().value
    if (oldest !== undefined && this.#entries.size >= this.#bounds.maxEntries) this.#drop(...oldest)
  }

  #hasRoom(): boolean {
    return this.#entries.size < this.#bounds.maxEntries && this.#bytes <= this.#bounds.maxBytes
  }
}

function nameOf({ scope, key }: IdempotencyClaim): string {
  return `${scope}\n${key}`
}

function outcomeOf(entry: Entry, claim: IdempotencyClaim): ClaimOutcome {
  if (entry.fingerprint !== claim.fingerprint) return { kind: 'mismatch' }
  return entry.reply === null ? { kind: 'running' } : { kind: 'done', reply: entry.reply }
}

/** @param now Unix milliseconds */
export function createMemoryIdempotencyBook(
  now: () => number,
  bounds: IdempotencyBounds = defaultIdempotencyBounds,
): IdempotencyBook {
  return new MemoryIdempotencyBook(now, bounds)
}
