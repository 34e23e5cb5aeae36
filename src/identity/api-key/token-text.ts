/**
 * The text of keys and tokens: `<prefix><id>_<secret>_<checksum>`, all base62, every length fixed.
 *
 *   gwr_live_ 3fQx0ZpWm2aB _ 43 characters (256 random bits) _ 6 characters CRC-32
 *
 * The checksum (CRC-32, ISO 3309) covers everything before it. It catches every single changed character and
 * every swap of neighbours, so that mistyped and made-up keys are refused without any look-up. It is no secret
 * and proves nothing: the HMAC does. Reading costs one pass over a text of the one right length, whatever it holds.
 */
import { randomBase62, toBase62 } from '../../kernel/ids.ts'

export const publicIdLength = 12
const secretLength = 43
const checksumLength = 6
const separator = 0x5f

/** Value of a base62 character by its code; 64 for all others, the last entry for codes beyond ASCII. */
const base62Values = new Uint8Array(129).fill(64)
for (const [value, char] of [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'].entries()) {
  base62Values[char.charCodeAt(0)] = value
}

const crcTable = new Int32Array(256)
for (let index = 0; index < 256; index += 1) {
  let value = index
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  crcTable[index] = value
}

/** CRC-32 state after `text`, from `state` (-1 at the beginning; the checksum is the complement of the last). */
function extendCrc(state: number, text: string): number {
  let crc = state
  for (let at = 0; at < text.length; at += 1) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ text.charCodeAt(at)) & 0xff] ?? 0)
  }
  return crc
}

/** A kind of token: its prefix and the CRC-32 state after it. */
export interface TokenPrefix {
  readonly text: string
  readonly crc: number
}

export function tokenPrefix(text: string): TokenPrefix {
  return { text, crc: extendCrc(-1, text) }
}

export interface MintedToken {
  /** Shown once, never stored. */
  readonly text: string
  readonly publicId: string
}

export function mintToken(prefix: TokenPrefix): MintedToken {
  const publicId = randomBase62(publicIdLength)
  return { text: mintSecret(prefix, publicId), publicId }
}

/** A new secret under an existing public id. */
export function mintSecret(prefix: TokenPrefix, publicId: string): string {
  const body = `${publicId}_${randomBase62(secretLength)}`
  const checksum = ~extendCrc(prefix.crc, body) >>> 0
  return `${prefix.text}${body}_${toBase62(checksum, checksumLength)}`
}

/** The public id of a well-formed text under this prefix, or null. Never throws. */
export function readToken(text: string, prefix: TokenPrefix): string | null {
  const start = prefix.text.length
  const idEnd = start + publicIdLength
  const secretEnd = idEnd + 1 + secretLength
  if (text.length !== secretEnd + 1 + checksumLength || !text.startsWith(prefix.text)) return null
  // No early exit: a stray character sets bit 6, which no later one can clear.
  let seen = 0
  let crc = prefix.crc
  for (let at = start; at < secretEnd; at += 1) {
    const code = text.charCodeAt(at)
    const value = base62Values[Math.min(code, 128)] ?? 64
    seen |= at === idEnd ? 0 : value
    crc = (crc >>> 8) ^ (crcTable[(crc ^ code) & 0xff] ?? 0)
  }
  let checksum = 0
  for (let at = secretEnd + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    const value = base62Values[Math.min(code, 128)] ?? 64
    seen |= value
    checksum = checksum * 62 + value
  }
  const separated = text.charCodeAt(idEnd) === separator && text.charCodeAt(secretEnd) === separator
  if (seen >= 64 || !separated || checksum !== ~crc >>> 0) return null
  return text.slice(start, idEnd)
}
