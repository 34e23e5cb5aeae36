/**
 * The hops that proxies wrote into a request, as addresses, the nearest one first.
 *
 *   X-Forwarded-For: 203.0.113.9, 10.0.0.2          Forwarded: for=203.0.113.9;proto=https, for="[2001:db8::1]:443"
 *
 * Strict (RFC 7239 §4 and §6): what is no address, a name, `unknown`, a zone, a bad port or a broken quote, ends the
 * list there, because nothing further left can be believed either. Bounds: `maxHops` addresses; text that is left of
 * them is not looked at.
 */
import type { ForwardedHeader } from '../domain/snapshot.ts'
import { formatAddress, parseAddress } from '../kernel/ip-address.ts'

export const maxHops = 16

/** @param headers flat name, value list, names in lower case */
export function forwardedHops(headers: readonly string[], name: ForwardedHeader): readonly string[] {
  const hops: string[] = []
  // All lines are one list (RFC 9110 §5.3): some proxies add a line of their own below the caller's.
  for (let at = headers.length - 2; at >= 0 && hops.length < maxHops; at -= 2) {
    if (headers[at] !== name) continue
    const line = headers[at + 1] ?? ''
    if (!(name === 'forwarded' ? addForwarded(line, hops) : addList(line, hops))) break
  }
  return hops
}

/** Adds the addresses of one line from the right. False: the list ends within it. */
function addList(line: string, hops: string[]): boolean {
  let end = line.length
  while (end >= 0 && hops.length < maxHops) {
    const start = end === 0 ? -1 : line.lastIndexOf(',', end - 1)
    const address = readNode(line.slice(start + 1, end).trim())
    if (address === null) return false
    hops.push(address)
    end = start
  }
  return true
}

function addForwarded(line: string, hops: string[]): boolean {
  const elements = splitUnquoted(line, ',')
  if (elements === null) return false
  for (let at = elements.length - 1; at >= 0 && hops.length < maxHops; at -= 1) {
    const address = readElement(elements[at] ?? '')
    if (address === null) return false
    hops.push(address)
  }
  return true
}

/** The `for` of one element. Null: there is none, or two, or the element is malformed. */
function readElement(element: string): string | null {
  let node: string | null = null
  for (const pair of splitUnquoted(element, ';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals <= 0) return null
    if (pair.slice(0, equals).trim().toLowerCase() !== 'for') continue
    if (node !== null) return null
    node = pair.slice(equals + 1)
  }
  if (node === null) return null
  const value = node.trim()
  // RFC 7239 §4: a value with colons or brackets is quoted. No address needs an escape.
  if (!value.startsWith('"')) return value.includes(':') ? null : readNode(value)
  if (value.length < 2 || !value.endsWith('"')) return null
  const inner = value.slice(1, -1)
  return inner.includes(':') && !inner.startsWith('[') && !isFourWithPort(inner) ? null : readNode(inner)
}

function isFourWithPort(text: string): boolean {
  return text.indexOf(':') === text.lastIndexOf(':')
}

/** Parts between separators that stand outside quotes. Null: a quote does not end. */
function splitUnquoted(text: string, separator: string): readonly string[] | null {
  const parts: string[] = []
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '"') quoted = !quoted
    else if (char === '\\' && quoted) at += 1
    else if (char === separator && !quoted) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  if (quoted) return null
  parts.push(text.slice(start))
  return parts
}

const words = new Int32Array(4)

/** `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`; the address in its one spelling. */
function readNode(text: string): string | null {
  let address = text
  let port = ''
  if (text.startsWith('[')) {
    const end = text.indexOf(']')
    if (end < 0) return null
    address = text.slice(1, end)
    port = text.slice(end + 1)
    // Brackets are for IPv6 alone (RFC 3986 §3.2.2).
    if (!address.includes(':')) return null
  } else {
    const colon = text.indexOf(':')
    if (colon >= 0 && colon === text.lastIndexOf(':')) {
      address = text.slice(0, colon)
      port = text.slice(colon)
    }
  }
  if (port !== '' && !/^:\d{1,5}$/.test(port)) return null
  if (port !== '' && Number(port.slice(1)) > 65_535) return null
  // A zone means something on one machine only, and this is another one (RFC 4007 §6).
  if (address.includes('%') || !parseAddress(address, words)) return null
  return formatAddress(words)
}
