/** Source networks of a key: CIDR lists compiled to masked words. Bound: `maxCidrs` networks, scanned in order. */
import { type AddressWords, parseAddress } from '../../kernel/ip-address.ts'

export const maxCidrs = 256

/** True when the address (text as `socket.remoteAddress` gives it) lies in one of the networks. */
export type AddressMatcher = (address: string) => boolean

interface Network {
  readonly words: AddressWords
  readonly masks: AddressWords
}

function masksOf(length: number): AddressWords {
  const masks = new Int32Array(4)
  for (let word = 0; word < 4; word += 1) {
    const bits = Math.min(32, Math.max(0, length - word * 32))
    // A shift by 32 would be a shift by 0.
    masks[word] = bits === 0 ? 0 : -1 << (32 - bits)
  }
  return masks
}

function parseLength(text: string, max: number): number {
  if (text.length === 0 || text.length > 3 || (text.length > 1 && text.startsWith('0'))) return -1
  let value = 0
  for (const char of text) {
    const digit = char.charCodeAt(0) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value <= max ? value : -1
}

/** Network of `address/length`, or of one address. Bits beyond the length are ignored. Null when malformed. */
function parseNetwork(cidr: string): Network | null {
  const slash = cidr.indexOf('/')
  const address = slash < 0 ? cidr : cidr.slice(0, slash)
  const words = new Int32Array(4)
  if (address.includes('%') || !parseAddress(address, words)) return null
  const dotted = !address.includes(':')
  const length = slash < 0 ? (dotted ? 32 : 128) : parseLength(cidr.slice(slash + 1), dotted ? 32 : 128)
  if (length < 0) return null
  const masks = masksOf(dotted ? 96 + length : length)
  return { words: words.map((word, index) => word & (masks[index] ?? 0)), masks }
}

/** True for `address` or `address/length`, v4 or v6. */
export function isCidr(text: string): boolean {
  return parseNetwork(text) !== null
}

const anywhere: AddressMatcher = () => true
const scratch = new Int32Array(4)

/**
 * An empty list admits every address. Otherwise what is not an address matches nothing. `::/0` covers v4 too,
 * since v4 addresses are held in their mapped form. Throws RangeError for a malformed or overlong list.
 */
export function compileCidrs(cidrs: readonly string[]): AddressMatcher {
  if (cidrs.length === 0) return anywhere
  if (cidrs.length > maxCidrs) throw new RangeError(`at most ${maxCidrs} networks`)
  const networks = cidrs.map((cidr) => {
    const network = parseNetwork(cidr)
    if (network === null) throw new RangeError('a network is malformed')
    return network
  })
  return (address) => {
    if (!parseAddress(address, scratch)) return false
    for (const { words, masks } of networks) {
      const difference =
        (((scratch[0] ?? 0) & (masks[0] ?? 0)) ^ (words[0] ?? 0)) |
        (((scratch[1] ?? 0) & (masks[1] ?? 0)) ^ (words[1] ?? 0)) |
        (((scratch[2] ?? 0) & (masks[2] ?? 0)) ^ (words[2] ?? 0)) |
        (((scratch[3] ?? 0) & (masks[3] ?? 0)) ^ (words[3] ?? 0))
      if (difference === 0) return true
    }
    return false
  }
}
