/**
 * Cedar's `ipaddr`: an address or a network, IPv4 or IPv6. As in Cedar, an IPv4 address within an IPv6 one
 * (`::ffff:192.0.2.1`) is no address: whoever makes a request writes it as IPv4.
 */
import { isIPv4, isIPv6 } from 'node:net'

const loopback4 = 127n
const multicast4 = 0b1110n
const multicast6 = 0xffn

export class IpRange {
  readonly bits: 32 | 128
  readonly address: bigint
  readonly prefix: number
  /** As it was written. */
  readonly text: string

  constructor(written: Pick<IpRange, 'bits' | 'address' | 'prefix' | 'text'>) {
    this.bits = written.bits
    this.address = written.address
    this.prefix = written.prefix
    this.text = written.text
  }

  equals(other: IpRange): boolean {
    return this.bits === other.bits && this.prefix === other.prefix && this.address === other.address
  }

  isInRange(other: IpRange): boolean {
    if (this.bits !== other.bits || this.prefix < other.prefix) return false
    const rest = BigInt(other.bits - other.prefix)
    return this.address >> rest === other.address >> rest
  }

  isLoopback(): boolean {
    if (this.bits === 128) return this.address === 1n && this.prefix === 128
    return this.prefix >= 8 && this.address >> 24n === loopback4
  }

  isMulticast(): boolean {
    if (this.bits === 128) return this.prefix >= 8 && this.address >> 120n === multicast6
    return this.prefix >= 4 && this.address >> 28n === multicast4
  }
}

const prefixText = /^(?:0|[1-9][0-9]{0,2})$/

/** Null when it is neither an address nor a network. */
export function parseIpRange(text: string): IpRange | null {
  const slash = text.indexOf('/')
  const host = slash < 0 ? text : text.slice(0, slash)
  const bits = isIPv4(host) ? 32 : isIPv6(host) && !host.includes('.') && !host.includes('%') ? 128 : null
  if (bits === null) return null
  if (slash >= 0 && !prefixText.test(text.slice(slash + 1))) return null
  const prefix = slash < 0 ? bits : Number(text.slice(slash + 1))
  if (prefix > bits) return null
  return new IpRange({ bits, address: bits === 32 ? readIpv4(host) : readIpv6(host), prefix, text })
}

function readIpv4(host: string): bigint {
  return BigInt(host.split('.').reduce((value, part) => value * 256 + Number(part), 0))
}

function readIpv6(host: string): bigint {
  const [head = '', tail] = host.split('::')
  const groupsOf = (part: string | undefined): string[] =>
    part === undefined || part === '' ? [] : part.split(':')
  const before = groupsOf(head)
  const after = groupsOf(tail)
  const zeros = new Array<string>(8 - before.length - after.length).fill('0')
  let value = 0n
  for (const group of [...before, ...zeros, ...after]) value = (value << 16n) | BigInt(`0x${group}`)
  return value
}
