/** What `Cache-Control` asks of a cache: the caller's of the answer that it gets, the provider's of the one it gave. */

/** Of a request (RFC 9111 §5.2.1). */
export interface CacheWishes {
  /** Nothing of this exchange is kept, and nothing that was kept is given. */
  readonly noStore: boolean
  /** The oldest answer that will do, in milliseconds; 0: only a new one. */
  readonly maxAgeMs: number
}

const anything: CacheWishes = Object.freeze({ noStore: false, maxAgeMs: Number.POSITIVE_INFINITY })
const maxDirectives = 32
const digits = /^"?(\d{1,10})"?$/

/** Read all `Cache-Control` lines of a flat name, value list. What cannot be read asks for a new answer. */
export function readCacheWishes(headers: readonly string[]): CacheWishes {
  let wishes = anything
  for (const { name, value } of directivesOf(headers)) {
    if (name === 'no-store') wishes = { ...wishes, noStore: true }
    else if (name === 'no-cache') wishes = { ...wishes, maxAgeMs: 0 }
    else if (name === 'max-age') wishes = { ...wishes, maxAgeMs: Math.min(wishes.maxAgeMs, readMs(value)) }
  }
  return wishes
}

/**
 * How long an answer may be kept as its `Cache-Control` has it (RFC 9111 §5.2.2), in milliseconds; 0: not at all, also
 * where a time cannot be read. `s-maxage` goes before `max-age`, because many end users share this cache. `no-cache`
 * is not looked at: providers put it on every stream, and some on all they answer, so that browsers ask again; whether
 * an answer may be given without asking is what the route's policy has decided.
 */
export function readKeepMs(headers: readonly string[]): number {
  let maxAgeMs = Number.POSITIVE_INFINITY
  let sharedMs = Number.POSITIVE_INFINITY
  for (const { name, value } of directivesOf(headers)) {
    if (name === 'no-store' || name === 'private') return 0
    if (name === 'max-age') maxAgeMs = Math.min(maxAgeMs, readMs(value))
    else if (name === 's-maxage') sharedMs = Math.min(sharedMs, readMs(value))
  }
  return Number.isFinite(sharedMs) ? sharedMs : maxAgeMs
}

interface Directive {
  readonly name: string
  readonly value: string
}

function directivesOf(headers: readonly string[]): Directive[] {
  const found: Directive[] = []
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] !== 'cache-control') continue
    for (const directive of (headers[at + 1] ?? '').split(',', maxDirectives)) {
      const [name = '', value = ''] = directive.trim().toLowerCase().split('=', 2)
      found.push({ name, value: value.trim() })
    }
  }
  return found
}

function readMs(seconds: string): number {
  return Number(digits.exec(seconds)?.[1] ?? '0') * 1000
}
