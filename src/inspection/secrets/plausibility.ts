/** Whether a value looks like a secret at all: its entropy, words of examples, checksums of those who have them. */
import { crc32 } from 'node:zlib'

const counts = new Uint8Array(128)

/** Shannon entropy in bits per character. Looks at no more than 128 characters. */
export function entropyOf(text: string): number {
  const length = Math.min(text.length, 128)
  if (length === 0) return 0
  counts.fill(0)
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at) & 127
    counts[code] = (counts[code] ?? 0) + 1
  }
  let sum = 0
  for (const count of counts) if (count > 1) sum += count * Math.log2(count)
  return Math.log2(length) - sum / length
}

const madeUp = [
  'example',
  'xxxx',
  'your',
  'placeholder',
  'changeme',
  'redacted',
  'dummy',
  'sample',
  'insert',
  '1234567890',
  'abcdefghij',
  '....',
  '****',
  '${',
  '{{',
  '<',
]

/** The words that documentation and templates put where a secret would stand. */
export function isPlaceholder(value: string): boolean {
  const lower = value.toLowerCase()
  return madeUp.some((word) => lower.includes(word))
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

function toBase62(value: number, length: number): string {
  let text = ''
  for (let rest = value >>> 0; rest > 0; rest = Math.floor(rest / 62)) text = `${base62[rest % 62]}${text}`
  return text.padStart(length, '0')
}

/** The last six characters are the CRC-32 of the thirty before them (tokens of GitHub and npm). */
export function hasTokenChecksum(text: string): boolean {
  const body = text.slice(text.indexOf('_') + 1)
  return body.length === 36 && toBase62(crc32(body.slice(0, 30)), 6) === body.slice(30)
}
