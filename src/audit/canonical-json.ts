/**
 * JSON in the one form of RFC 8785 (JCS): keys in order of their UTF-16 code units, no white space, numbers and strings
 * as ECMAScript writes them, so that JSON.stringify is right for both.
 */
export type CanonicalValue =
  | null
  | boolean
  | number
  | string
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue }

/** @throws RangeError for numbers and strings that JSON cannot say (§3.2.2.2, §3.2.2.3) */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('JSON has no such number')
  if (typeof value === 'string' && !value.isWellFormed()) throw new RangeError('JSON has no lone surrogates')
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.keys(value)
    .sort()
    .map((key) => `${canonicalJson(key)}:${canonicalJson(value[key] ?? null)}`)
  return `{${members.join(',')}}`
}

function isList(value: object): value is readonly CanonicalValue[] {
  return Array.isArray(value)
}

/** JSON data as such a value: what JSON does not know is left out, lone surrogates become U+FFFD. */
export function toCanonicalValue(value: unknown): CanonicalValue {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'boolean' || value === null) return value
  if (Array.isArray(value)) return value.map(toCanonicalValue)
  if (typeof value !== 'object') return null
  const members = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(members.map(([key, each]) => [key.toWellFormed(), toCanonicalValue(each)]))
}
