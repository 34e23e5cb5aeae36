/** What a caller's `Cache-Control` asks of a cache (RFC 9111 §5.2.1). */

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
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] !== 'cache-control') continue
    for (const directive of (headers[at + 1] ?? '').split(',', maxDirectives))
      wishes = narrowed(wishes, directive)
  }
  return wishes
}

function narrowed(wishes: CacheWishes, directive: string): CacheWishes {
  const [name = '', value = ''] = directive.trim().toLowerCase().split('=', 2)
  if (name === 'no-store') return { ...wishes, noStore: true }
  if (name === 'no-cache') return { ...wishes, maxAgeMs: 0 }
  if (name !== 'max-age') return wishes
  const seconds = digits.exec(value.trim())?.[1] ?? '0'
  return { ...wishes, maxAgeMs: Math.min(wishes.maxAgeMs, Number(seconds) * 1000) }
}
