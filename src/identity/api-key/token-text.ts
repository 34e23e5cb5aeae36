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

/** Value of a base62 character by its code; -1 for all others. */
const base62Values = new Int8Array(128).fill(-1)
for (const [value, char] of [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'].entries()) {
  base62Values[char.charCodeAt(0)] = value
}

const crcTable = new Int32Array(256)
for (let index = 0; index < 256; index += 1) {
  let value = index
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  crcTable[index] = value
}

/** CRC-32 of the first `end` characters, which are ASCII. */
function checksumOf(text: string, end: number): number {
  let crc = -1
  for (let at = 0; at < end; at += 1) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ text.charCodeAt(at)) & 0xff] ?? 0)
  }
  return ~crc >>> 0
}

/** True when `text[start, end)` is base62. */
function isBase62(text: string, start: number, end: number): boolean {
  let seen = 0
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at)
    // A negative value sets the sign bit, which no later value can clear: no early exit.
    seen |= code < 128 ? (base62Values[code] ?? -1) : -1
  }
  return seen >= 0
}

function readChecksum(text: string, start: number): number {
  let value = 0
  for (let at = start; at < start + checksumLength; at += 1) {
    value = value * 62 + (base62Values[text.charCodeAt(at)] ?? 0)
  }
  return value
}

export interface MintedToken {
  /** Shown once, never stored. */
  readonly text: string
  readonly publicId: string
}

export function mintToken(prefix: string): MintedToken {
  const publicId = randomBase62(publicIdLength)
  const body = `${prefix}${publicId}_${randomBase62(secretLength)}`
  return { text: withChecksum(body), publicId }
}

/** A new secret under an existing public id. */
export function mintSecret(prefix: string, publicId: string): string {
  return withChecksum(`${prefix}${publicId}_${randomBase62(secretLength)}`)
}

function withChecksum(body: string): string {
  return `${body}_${toBase62(checksumOf(body, body.length), checksumLength)}`
}

/** The public id of a well-formed text under this prefix, or null. Never throws. */
export function readToken(text: string, prefix: string): string | null {
  const idEnd = prefix.length + publicIdLength
  const secretEnd = idEnd + 1 + secretLength
  if (text.length !== secretEnd + 1 + checksumLength || !text.startsWith(prefix)) return null
  if (text.charCodeAt(idEnd) !== separator || text.charCodeAt(secretEnd) !== separator) return null
  const wellFormed =
    isBase62(text, prefix.length, idEnd) &&
    isBase62(text, idEnd + 1, secretEnd) &&
    isBase62(text, secretEnd + 1, text.length)
  if (!wellFormed || checksumOf(text, secretEnd) !== readChecksum(text, secretEnd + 1)) return null
  return text.slice(prefix.length, idEnd)
}
