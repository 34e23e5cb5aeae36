/**
 * What kind of network an IP address belongs to: IANA special-purpose registries (RFC 6890 and updates) plus the
 * addresses on which clouds serve machine credentials. Addresses that carry a v4 address inside a v6 one are
 * judged by the inner address where hosts really route them (v4-mapped, NAT64), and refused as `transition` where
 * the mechanism is deprecated (6to4, Teredo, v4-compatible). Anything outside 2000::/3 without a row is `reserved`.
 */

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type AddressClass =
  | 'public'
  | 'loopback'
  | 'private'
  /** RFC 6598, carrier-grade NAT; also used by overlay networks. */
  | 'shared'
  | 'link-local'
  | 'multicast'
  | 'unspecified'
  | 'metadata'
  | 'transition'
  | 'reserved'
  | 'invalid'

interface Row {
  readonly bytes: readonly number[]
  readonly bits: number
  readonly class: AddressClass
}

function row(cidr: string, addressClass: AddressClass): Row {
  const [address, bits] = ipaddr.parseCIDR(cidr)
  return { bytes: address.toByteArray(), bits, class: addressClass }
}

/** First match wins; metadata rows come first. */
const v4Rows: readonly Row[] = [
  row('169.254.169.254/32', 'metadata'), // AWS, Azure, GCP, Oracle, OpenStack, DigitalOcean
  row('169.254.170.2/32', 'metadata'), // AWS ECS task credentials
  row('169.254.170.23/32', 'metadata'), // AWS EKS pod identity
  row('169.254.42.42/32', 'metadata'), // Scaleway
  row('169.254.0.23/32', 'metadata'), // Tencent
  row('100.100.100.200/32', 'metadata'), // Alibaba
  row('192.0.0.192/32', 'metadata'), // Oracle classic
  row('168.63.129.16/32', 'metadata'), // Azure wire server
  row('0.0.0.0/8', 'unspecified'),
  row('10.0.0.0/8', 'private'),
  row('100.64.0.0/10', 'shared'),
  row('127.0.0.0/8', 'loopback'),
  row('169.254.0.0/16', 'link-local'),
  row('172.16.0.0/12', 'private'),
  row('192.0.0.0/24', 'reserved'),
  row('192.0.2.0/24', 'reserved'),
  row('192.31.196.0/24', 'reserved'),
  row('192.52.193.0/24', 'reserved'),
  row('192.88.99.0/24', 'reserved'),
  row('192.168.0.0/16', 'private'),
  row('192.175.48.0/24', 'reserved'),
  row('198.18.0.0/15', 'reserved'),
  row('198.51.100.0/24', 'reserved'),
  row('203.0.113.0/24', 'reserved'),
  row('224.0.0.0/4', 'multicast'),
  row('240.0.0.0/4', 'reserved'),
]

const v6Rows: readonly Row[] = [
  row('fd00:ec2::/32', 'metadata'), // AWS: instance metadata ::254, pod identity ::23
  row('fd20:ce::254/128', 'metadata'), // GCP
  row('fd00:42::42/128', 'metadata'), // Scaleway
  row('fe80::a9fe:a9fe/128', 'metadata'), // OpenStack
  row('::/128', 'unspecified'),
  row('::1/128', 'loopback'),
  row('fe80::/10', 'link-local'),
  row('fc00::/7', 'private'),
  row('ff00::/8', 'multicast'),
  row('::/96', 'transition'), // v4-compatible, deprecated by RFC 4291
  row('::ffff:0:0:0/96', 'transition'), // v4-translated, RFC 2765
  row('64:ff9b:1::/48', 'transition'), // local-use NAT64, RFC 8215
  row('2001::/32', 'transition'), // Teredo
  row('2002::/16', 'transition'), // 6to4
  row('2001::/23', 'reserved'), // IETF protocol assignments
  row('2001:db8::/32', 'reserved'),
  row('2620:4f:8000::/48', 'reserved'), // AS112
  row('3fff::/20', 'reserved'), // documentation, RFC 9637
  row('2000::/3', 'public'),
]

const mapped = row('::ffff:0:0/96', 'reserved')
const nat64 = row('64:ff9b::/96', 'reserved')

function matches(bytes: readonly number[], candidate: Row): boolean {
  const whole = candidate.bits >> 3
  for (let i = 0; i < whole; i += 1) {
    if (bytes[i] !== candidate.bytes[i]) return false
  }
  const rest = candidate.bits & 7
  if (rest === 0) return true
  const mask = (0xff << (8 - rest)) & 0xff
  return ((bytes[whole] ?? 0) & mask) === ((candidate.bytes[whole] ?? 0) & mask)
}

function classifyBytes(bytes: readonly number[]): AddressClass {
  if (bytes.length === 4) return v4Rows.find((candidate) => matches(bytes, candidate))?.class ?? 'public'
  if (matches(bytes, mapped) || matches(bytes, nat64)) return classifyBytes(bytes.slice(12))
  return v6Rows.find((candidate) => matches(bytes, candidate))?.class ?? 'reserved'
}

/** @param address dotted-quad v4 or textual v6; anything else, zone identifiers included, is `invalid`. */
export function classifyAddress(address: string): AddressClass {
  if (isIP(address) === 0 || address.includes('%')) return 'invalid'
  // v4-compatible; the parsing library would read it as v4-mapped, the kernel does not.
  if (/^::[0-9]+\./.test(address)) return 'transition'
  return classifyBytes(ipaddr.parse(address).toByteArray())
}

/** Which classes each policy admits; the rest is denied. */
export function isAddressAllowed(addressClass: AddressClass, allowPrivateNetwork: boolean): boolean {
  if (addressClass === 'public') return true
  return (
    allowPrivateNetwork &&
    (addressClass === 'loopback' || addressClass === 'private' || addressClass === 'shared')
  )
}
