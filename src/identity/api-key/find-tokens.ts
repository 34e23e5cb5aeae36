/**
 * Keys and admin tokens within any bytes. The checksum decides: what is found was made by a Gatewright, save for one in
 * 2^32 texts of the right form and length. Cost: a search for each mark, and one look at what stands there.
 */
import { parseAdminToken, parseApiKey } from './api-key-text.ts'

export interface FoundToken {
  /** Index of its first byte. */
  readonly at: number
  readonly text: string
  readonly kind: 'api-key' | 'admin-token'
  /** Prefix and public id: names it, and opens nothing. */
  readonly publicText: string
}

const marks = [
  { mark: Buffer.from('gwr_'), length: 72 },
  { mark: Buffer.from('gwa_'), length: 67 },
] as const

/** Bytes of the longest: what is cut within so many bytes of an end may be the beginning of one. */
export const longestToken = 72

/** All of them, in no order. */
export function findTokens(bytes: Buffer): FoundToken[] {
  const found: FoundToken[] = []
  for (const { mark, length } of marks) {
    for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.length)) {
      const token = readAt(bytes, at, length)
      if (token !== null) found.push(token)
    }
  }
  return found
}

function readAt(bytes: Buffer, at: number, length: number): FoundToken | null {
  const text = bytes.toString('latin1', at, at + length)
  const key = parseApiKey(text)
  if (key !== null) return { at, text, kind: 'api-key', publicText: `gwr_${key.environment}_${key.keyId}` }
  const token = parseAdminToken(text)
  return token === null ? null : { at, text, kind: 'admin-token', publicText: `gwa_${token.tokenId}` }
}
