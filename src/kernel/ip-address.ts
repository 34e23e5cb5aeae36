/**
 * Internet addresses as four 32-bit words. IPv4 is held as its IPv4-mapped form (RFC 4291 §2.5.5.2), so that
 * `10.0.0.1` and `::ffff:10.0.0.1` are one address. Strict: no octal, no short forms, no zone beyond `%…` at the
 * end. No regular expression; at most `maxAddressLength` characters are looked at.
 */

/** Longest: an IPv4-mapped address in full, 45 characters; a zone may follow. */
const maxAddressLength = 64
const mappedWord = 0xffff

export type AddressWords = Int32Array

const colon = 0x3a
const dot = 0x2e

/** The 32 bits of dotted-decimal text in `[start, end)`, or -1. */
function parseV4(text: string, start: number, end: number): number {
  let value = 0
  let octet = -1
  let octets = 0
  for (let at = start; at <= end; at += 1) {
    const code = at === end ? dot : text.charCodeAt(at)
    if (code === dot) {
      if (octet < 0 || octets === 4) return -1
      value = value * 256 + octet
      octets += 1
      octet = -1
    } else if (code >= 0x30 && code <= 0x39) {
      // A leading zero is octal to some readers and decimal to others (RFC 6943 §3.1.1): refused.
      if (octet === 0) return -1
      octet = (octet < 0 ? 0 : octet * 10) + code - 0x30
      if (octet > 255) return -1
    } else return -1
  }
  return octets === 4 ? value : -1
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** Eight groups; scratch space, safe because parsing never yields. */
const groups = new Uint16Array(8)

interface GroupScan {
  count: number
  /** Index of the group before which `::` stands, or -1. */
  gap: number
}
const scan: GroupScan = { count: 0, gap: -1 }

/** Reads the groups of `text[0, end)` into `groups`; false when it is no IPv6 address. */
function scanGroups(text: string, end: number): boolean {
  scan.count = 0
  scan.gap = -1
  let at = 0
  if (text.charCodeAt(0) === colon) {
    if (text.charCodeAt(1) !== colon) return false
    scan.gap = 0
    at = 2
  }
  while (at < end) {
    if (scan.count === 8) return false
    const start = at
    let value = 0
    for (
      let digit = hexValue(text.charCodeAt(at));
      at < end && digit >= 0;
      digit = hexValue(text.charCodeAt(at))
    ) {
      value = value * 16 + digit
      at += 1
      if (at - start > 4) return false
    }
    if (at < end && text.charCodeAt(at) === dot) return scanEmbeddedV4(text, start, end)
    if (at === start) return false
    groups[scan.count] = value
    scan.count += 1
    if (at === end) return true
    if (text.charCodeAt(at) !== colon) return false
    at += 1
    if (at < end && text.charCodeAt(at) === colon) {
      if (scan.gap >= 0) return false
      scan.gap = scan.count
      at += 1
    } else if (at === end) return false
  }
  return true
}

function scanEmbeddedV4(text: string, start: number, end: number): boolean {
  const value = parseV4(text, start, end)
  if (value < 0 || scan.count > 6) return false
  groups[scan.count] = Math.floor(value / 65536)
  groups[scan.count + 1] = value % 65536
  scan.count += 2
  return true
}

function parseV6(text: string, end: number, out: AddressWords): boolean {
  if (!scanGroups(text, end)) return false
  const { count, gap } = scan
  if (gap < 0 ? count !== 8 : count > 7) return false
  const shift = 8 - count
  for (let index = 0; index < 8; index += 1) {
    let value = 0
    if (gap < 0 || index < gap) value = groups[index] ?? 0
    else if (index >= gap + shift) value = groups[index - shift] ?? 0
    const word = index >> 1
    out[word] = index % 2 === 0 ? value << 16 : (out[word] ?? 0) | value
  }
  return true
}

/** Writes the address into `out`; false when the text is no address. */
export function parseAddress(text: string, out: AddressWords): boolean {
  if (text.length > maxAddressLength) return false
  const zone = text.indexOf('%')
  const end = zone < 0 ? text.length : zone
  if (text.indexOf(':') >= 0) return parseV6(text, end, out)
  const value = zone < 0 ? parseV4(text, 0, end) : -1
  if (value < 0) return false
  out[0] = 0
  out[1] = 0
  out[2] = mappedWord
  out[3] = value | 0
  return true
}

/** Lower case, the longest run of two or more zero groups as `::` (RFC 5952); IPv4-mapped addresses as IPv4. */
export function formatAddress(words: AddressWords): string {
  const [first = 0, second = 0, third = 0, last = 0] = words
  if (first === 0 && second === 0 && third === mappedWord) {
    return `${last >>> 24}.${(last >>> 16) & 255}.${(last >>> 8) & 255}.${last & 255}`
  }
  const parts = [...words].flatMap((word) => [(word >>> 16).toString(16), (word & 0xffff).toString(16)])
  const { start, length } = longestZeros(parts)
  if (length < 2) return parts.join(':')
  return `${parts.slice(0, start).join(':')}::${parts.slice(start + length).join(':')}`
}

function longestZeros(parts: readonly string[]): { start: number; length: number } {
  const longest = { start: 0, length: 0 }
  let length = 0
  for (const [at, part] of parts.entries()) {
    length = part === '0' ? length + 1 : 0
    if (length > longest.length) Object.assign(longest, { start: at + 1 - length, length })
  }
  return longest
}

const blockWords = new Int32Array(4)

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 one, of which a single client has 2⁶⁴ addresses.
 * Text that is no address stands for itself.
 */
export function addressBlock(address: string): string {
  if (!address.includes(':') || !parseAddress(address, blockWords)) return address
  if (blockWords[2] === mappedWord && blockWords[0] === 0 && blockWords[1] === 0) {
    return formatAddress(blockWords)
  }
  blockWords.fill(0, 2)
  return `${formatAddress(blockWords)}/64`
}
