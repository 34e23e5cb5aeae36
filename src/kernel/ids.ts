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

const stemLength = 16
const countLength = 6
/** Beyond, a count is no exact number any more. */
const maxCountLength = 8

/** A generator of request ids: `req_<12 random base62><counter base62>`. */
export function requestIds(): () => string {
  const stem = `req_${randomBase62(stemLength - 4)}`
  let count = 0
  return () => {
    count += 1
    return stem + toBase62(count, countLength)
  }
}

function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  if (code >= 0x41 && code <= 0x5a) return code - 0x41 + 10
  return code >= 0x61 && code <= 0x7a ? code - 0x61 + 36 : -1
}

/** The stem and the counter of a request id; null for what `requestIds` cannot have made. */
export function splitRequestId(id: string): { readonly stem: string; readonly count: number } | null {
  if (id.length < stemLength + countLength || id.length > stemLength + maxCountLength) return null
  let count = 0
  for (let at = stemLength; at < id.length; at += 1) {
    const digit = digitOf(id.charCodeAt(at))
    if (digit < 0) return null
    count = count * 62 + digit
  }
  // A leading zero in a counter that has outgrown its width would be a second spelling of another id.
  if (id.length > stemLength + countLength && id.charAt(stemLength) === '0') return null
  return { stem: id.slice(0, stemLength), count }
}
