/**
 * Answers in the memory of one worker thread; gone with it, so no content rests on disk or crosses threads. One cache
 * per thread instead of one per node: a look-up costs no message, and the price is at most one more call to the provider
 * per worker for each answer, which the kernel's even spread of connections makes rare for a busy client.
 *
 * Bounds: entries, bytes with what their keeping costs, bytes of one. What was not asked for longest goes first.
 */
import type { CachedResponse, ResponseCache } from '../../ports/response-cache.ts'

export interface MemoryCacheBounds {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly maxEntryBytes: number
}

/** Of each worker. */
export const defaultCacheBounds: MemoryCacheBounds = Object.freeze({
  maxEntries: 10_000,
  maxBytes: 67_108_864,
  maxEntryBytes: 1_048_576,
})

/** Objects, key and list of headers around a body, about. */
const entryOverheadBytes = 1024

interface Entry {
  readonly response: CachedResponse
  readonly expiresAt: number
  readonly bytes: number
}

class MemoryResponseCache implements ResponseCache {
  readonly #now: () => number
  readonly #bounds: MemoryCacheBounds
  /** Asked for longest ago first: a Map keeps the order of insertion. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(now: () => number, bounds: MemoryCacheBounds) {
    this.#now = now
    this.#bounds = bounds
  }

  find(key: string, done: (found: CachedResponse | null) => void): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return done(null)
    this.#entries.delete(key)
    if (entry.expiresAt <= this.#now()) {
      this.#bytes -= entry.bytes
      return done(null)
    }
    this.#entries.set(key, entry)
    done(entry.response)
  }

  keep(key: string, response: CachedResponse, ttlMs: number): void {
    const bytes = response.body.byteLength + entryOverheadBytes
    const expiresAt = response.answeredAt + ttlMs
    this.#drop(key)
    if (bytes > this.#bounds.maxBytes || response.body.byteLength > this.#bounds.maxEntryBytes) return
    if (expiresAt <= this.#now()) return
    this.#entries.set(key, { response, expiresAt, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.maxEntries && this.#bytes <= this.#bounds.maxBytes) break
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}

/** @param now Unix milliseconds */
export function createMemoryResponseCache(
  now: () => number,
  bounds: MemoryCacheBounds = defaultCacheBounds,
): ResponseCache {
  return new MemoryResponseCache(now, bounds)
}
