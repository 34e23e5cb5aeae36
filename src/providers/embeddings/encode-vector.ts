/** Little-endian float32 bytes in base64, as OpenAI's `encoding_format: base64`. */
export function encodeVector(vector: ArrayLike<number>): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (let at = 0; at < vector.length; at += 1) bytes.writeFloatLE(vector[at] ?? 0, at * 4)
  return bytes.toString('base64')
}
