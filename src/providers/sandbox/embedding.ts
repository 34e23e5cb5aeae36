/**
 * Deterministic embeddings: words are hashed into dimensions with a sign and the vector is scaled to length 1, so equal
 * texts have equal vectors and texts that share words lie near each other. Bound: 4,096 dimensions.
 */

export const defaultDimensions = 1536
export const maxDimensions = 4096

/** FNV-1a, 32 bits. */
export function hashText(text: string, seed = 0x811c9dc5): number {
  let value = seed
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

/** The vector of `text`; `dimensions` from 1 to `maxDimensions`. */
export function embedText(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]
  for (const word of words) {
    // Four places a word: fewer texts collide in small vectors.
    for (let round = 0; round < 4; round += 1) {
      const value = hashText(word, 0x811c9dc5 ^ round)
      const at = value % dimensions
      vector[at] = (vector[at] ?? 0) + ((value >>> 16) & 1 ? 1 : -1)
    }
  }
  let squares = 0
  for (const value of vector) squares += value * value
  if (squares === 0) {
    vector[0] = 1
    return vector
  }
  const scale = 1 / Math.sqrt(squares)
  return vector.map((value) => value * scale)
}
