/**
 * Identifiers. Entity ids are `<prefix>_<22 base62>`: 131 random bits. Request ids are unique without a random
 * draw per request: a random stem per generator, then a counter.
 */
import { randomBytes } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `length` uniformly random base62 characters (rejection sampling, so no bias). */
export function randomBase62(length: number): string {
  let out = ''
  while (out.length < length) {
    for (const byte of randomBytes(length * 2)) {
      // 248 = 4 × 62: bytes above would favour the first characters.
      if (byte < 248 && out.length < length) out += alphabet.charAt(byte % 62)
    }
  }
  return out
}

/** A new entity id, for example `app_3fQ…`. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBase62(22)}`
}

/** `value` ≥ 0 as base62, left-padded with `0` to `width`. */
export function toBase62(value: number, width: number): string {
  let rest = value
  let out = ''
  while (rest > 0) {
    out = alphabet.charAt(rest % 62) + out
    rest = Math.floor(rest / 62)
  }
  return out.padStart(width, '0')
}

/** A generator of request ids: `req_<12 random base62><counter base62>`. */
export function requestIds(): () => string {
  const stem = `req_${randomBase62(12)}`
  let count = 0
  return () => {
    count += 1
    return stem + toBase62(count, 6)
  }
}
