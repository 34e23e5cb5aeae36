/**
 * 32-bit hashing for placement: even, quick, the same in every worker and at every node. Not against collisions on
 * purpose: a caller who seeks one only decides which of its own targets it gets.
 */

const offset = 0x811c9dc5
const prime = 0x01000193

/** FNV-1a over UTF-16 units, at most `limit` of them. */
export function mixText(seed: number, text: string, limit = text.length): number {
  let hash = seed
  const end = Math.min(text.length, limit)
  for (let at = 0; at < end; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), prime)
  return hash | 0
}

export function hashText(text: string): number {
  return mixText(offset, text)
}

/** Avalanche (MurmurHash3's finalizer): every bit of the input moves every bit of the output. */
export function finish(hash: number): number {
  let value = hash
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

/** Uniform in (0, 1), the same for the same two values. */
export function fractionOf(a: number, b: number): number {
  return (finish(a ^ Math.imul(b, 0x9e3779b1)) + 0.5) / 4_294_967_296
}
