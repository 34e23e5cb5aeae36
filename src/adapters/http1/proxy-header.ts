/**
 * The PROXY protocol (haproxy `doc/proxy-protocol.txt`), versions 1 (text) and 2 (binary): the first bytes of a
 * connection, before TLS, in which a proxy says whose connection it forwards.
 *
 *   v1  PROXY TCP4 203.0.113.9 10.0.0.1 51234 8443\r\n          at most 107 bytes
 *   v2  12 bytes of signature │ version, command │ family │ length │ addresses │ TLVs
 *
 * Assumes that the peer was found to be a trusted proxy already. Strict: what the specification does not write is
 * malformed. Bounds: 107 bytes and 4 KiB; TLVs are counted and skipped, never read.
 */
import { formatAddress, parseAddress } from '../../kernel/ip-address.ts'

export interface ProxyHeader {
  /** Bytes that the header takes; what follows belongs to the connection. */
  readonly length: number
  /** Whose connection it is; null: the proxy's own (LOCAL, UNKNOWN), a health check. */
  readonly address: string | null
}

export type ProxyHeaderProblem = 'incomplete' | 'malformed'

/** No header is longer. */
export const maxProxyHeaderBytes = 4096

const textStart = Buffer.from('PROXY ')
/** v1 §2.1: "a 108-byte buffer is always enough", with a final NUL. */
const maxTextBytes = 107
const binaryStart = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const binaryHeadBytes = 16

/** @param bytes everything received so far */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | ProxyHeaderProblem {
  if (startsLike(bytes, binaryStart)) {
    return bytes.length < binaryHeadBytes ? 'incomplete' : parseBinary(bytes)
  }
  if (startsLike(bytes, textStart)) return parseText(bytes)
  return 'malformed'
}

/** Whether the bytes, as far as they have come, are those of `start`. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const common = Math.min(bytes.length, start.length)
  return bytes.compare(start, 0, common, 0, common) === 0
}

function parseText(bytes: Buffer): ProxyHeader | ProxyHeaderProblem {
  const end = bytes.subarray(0, maxTextBytes).indexOf('\r\n')
  if (end < 0) return bytes.length < maxTextBytes ? 'incomplete' : 'malformed'
  const length = end + 2
  const [, family, source = '', target = '', ...ports] = bytes.toString('latin1', 0, end).split(' ')
  // Everything after UNKNOWN up to the line's end is to be ignored.
  if (family === 'UNKNOWN') return { length, address: null }
  if (family !== 'TCP4' && family !== 'TCP6') return 'malformed'
  if (ports.length !== 2 || !ports.every(isPort)) return 'malformed'
  const address = normalize(source, family)
  return address === null || normalize(target, family) === null ? 'malformed' : { length, address }
}

/** A number without leading zeros, at most 65535. */
function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

const words = new Int32Array(4)

function normalize(text: string, family: 'TCP4' | 'TCP6'): string | null {
  const isSix = text.includes(':')
  if (isSix !== (family === 'TCP6') || text.includes('%') || !parseAddress(text, words)) return null
  return formatAddress(words)
}

const local = 0x20
const proxied = 0x21
const unspecified = 0x00
/** Bytes of the addresses and ports of each family over a stream. */
const addressBytes: ReadonlyMap<number, number> = new Map([
  [0x11, 12],
  [0x21, 36],
])

function parseBinary(bytes: Buffer): ProxyHeader | ProxyHeaderProblem {
  const command = bytes.readUInt8(12)
  const family = bytes.readUInt8(13)
  const rest = bytes.readUInt16BE(14)
  const length = binaryHeadBytes + rest
  if ((command !== local && command !== proxied) || length > maxProxyHeaderBytes) return 'malformed'
  const needed = addressBytes.get(family)
  // LOCAL says nothing about addresses, whatever the family; UNSPEC leaves them out.
  const own = command === local || family === unspecified
  if (!own && (needed === undefined || rest < needed)) return 'malformed'
  if (bytes.length < length) return 'incomplete'
  return { length, address: own ? null : readAddress(bytes, needed === 12) }
}

/** The source address, which comes first. */
function readAddress(bytes: Buffer, isFour: boolean): string {
  if (isFour) {
    words.set([0, 0, 0xffff, bytes.readInt32BE(binaryHeadBytes)])
  } else for (let word = 0; word < 4; word += 1) words[word] = bytes.readInt32BE(binaryHeadBytes + 4 * word)
  return formatAddress(words)
}
