/**
 * The AWS event stream encoding (`application/vnd.amazon.eventstream`), both ways.
 *
 *   ┌───────────┬─────────────┬─────────────┬─────────┬─────────┬─────────────┐
 *   │ total u32 │ headers u32 │ prelude CRC │ headers │ payload │ message CRC │   big-endian, CRC-32 (zlib)
 *   └───────────┴─────────────┴─────────────┴─────────┴─────────┴─────────────┘
 *   header: name length u8, name, type u8, value (strings and bytes carry a u16 length)
 *
 * Bounds: a message is at most 16 MiB and its headers 128 KiB (both are the limits of the encoding itself), so the
 * decoder holds at most one message. Every length and both checksums are proven before a byte of content is used.
 */
import { crc32 } from 'node:zlib'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'

export const eventStreamContentType = 'application/vnd.amazon.eventstream'

/** Largest message, bytes; from the encoding's specification. */
export const maxMessageBytes = 16 * 1024 * 1024
/** Largest header block, bytes; from the encoding's specification. */
export const maxHeaderBytes = 128 * 1024

const preludeBytes = 12
const overheadBytes = 16

export type EventStreamHeaderValue = string | number | bigint | boolean | Uint8Array
export interface EventStreamMessage {
  readonly headers: ReadonlyMap<string, EventStreamHeaderValue>
  /** A view on the decoder's input, valid until the callback returns. */
  readonly payload: Uint8Array
}

export interface EventStreamDecoder {
  /** Feed bytes, cut anywhere. Throws `upstream.malformed` on a bad length or checksum; the stream is then lost. */
  push(chunk: Uint8Array, onMessage: (message: EventStreamMessage) => void): void
  /** Bytes of a message that has not arrived whole. */
  readonly pendingBytes: number
}

/** A decoder for one stream. */
export function eventStreamDecoder(): EventStreamDecoder {
  // A growing buffer: doubled when full, so a message that arrives byte by byte is copied O(1) times per byte.
  let held: Buffer = Buffer.alloc(0)
  let heldBytes = 0
  return {
    get pendingBytes() {
      return heldBytes
    },
    push(chunk, onMessage) {
      let input = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      if (heldBytes > 0) {
        if (heldBytes + input.length > held.length) held = grown(held, heldBytes, input.length)
        input.copy(held, heldBytes)
        heldBytes += input.length
        input = held.subarray(0, heldBytes)
      }
      const used = readMessages(input, onMessage)
      const rest = input.length - used
      if (heldBytes > 0) held.copyWithin(0, used, heldBytes)
      else if (rest > 0) {
        if (rest > held.length) held = Buffer.allocUnsafe(Math.max(rest, 1024))
        input.copy(held, 0, used)
      }
      heldBytes = rest
    },
  }
}

function grown(held: Buffer, heldBytes: number, more: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(heldBytes + more, held.length * 2, 1024))
  held.copy(larger, 0, 0, heldBytes)
  return larger
}

/** Reads every whole message at the start of `input`; returns how many bytes they took. */
function readMessages(input: Buffer, onMessage: (message: EventStreamMessage) => void): number {
  let at = 0
  while (input.length - at >= preludeBytes) {
    const total = provenLength(input, at)
    if (input.length - at < total) break
    onMessage(readMessage(input.subarray(at, at + total)))
    at += total
  }
  return at
}

function provenLength(input: Buffer, at: number): number {
  if (crc32(input.subarray(at, at + 8)) !== input.readUInt32BE(at + 8)) throw malformed('prelude checksum')
  const total = input.readUInt32BE(at)
  const headers = input.readUInt32BE(at + 4)
  if (total > maxMessageBytes) throw malformed('message longer than 16 MiB')
  if (headers > maxHeaderBytes || total < overheadBytes + headers) throw malformed('header length')
  return total
}

function readMessage(message: Buffer): EventStreamMessage {
  const crcAt = message.length - 4
  if (crc32(message.subarray(0, crcAt)) !== message.readUInt32BE(crcAt)) throw malformed('message checksum')
  const headersEnd = preludeBytes + message.readUInt32BE(4)
  return {
    headers: readHeaders(message.subarray(preludeBytes, headersEnd)),
    payload: message.subarray(headersEnd, crcAt),
  }
}

function readHeaders(block: Buffer): ReadonlyMap<string, EventStreamHeaderValue> {
  const headers = new Map<string, EventStreamHeaderValue>()
  let at = 0
  while (at < block.length) {
    const nameEnd = at + 1 + (block[at] ?? 0)
    if (nameEnd >= block.length) throw malformed('header name')
    const name = block.toString('utf8', at + 1, nameEnd)
    const type = valueTypes[block[nameEnd] ?? 0xff]
    if (type === undefined) throw malformed('header type')
    const start = nameEnd + 1 + type.prefix
    if (start > block.length) throw malformed('header value')
    const end = start + (type.prefix === 0 ? type.bytes : block.readUInt16BE(nameEnd + 1))
    if (end > block.length) throw malformed('header value')
    headers.set(name, type.read(block, start, end))
    at = end
  }
  return headers
}

interface ValueType {
  /** Bytes of the length in front of the value: 2 for strings and bytes, else 0. */
  readonly prefix: 0 | 2
  /** Fixed size, where there is no length in front. */
  readonly bytes: number
  read(block: Buffer, start: number, end: number): EventStreamHeaderValue
}

/** By type number: true, false, byte, short, integer, long, bytes, string, timestamp (ms), UUID. */
const valueTypes: readonly (ValueType | undefined)[] = [
  { prefix: 0, bytes: 0, read: () => true },
  { prefix: 0, bytes: 0, read: () => false },
  { prefix: 0, bytes: 1, read: (block, start) => block.readInt8(start) },
  { prefix: 0, bytes: 2, read: (block, start) => block.readInt16BE(start) },
  { prefix: 0, bytes: 4, read: (block, start) => block.readInt32BE(start) },
  { prefix: 0, bytes: 8, read: (block, start) => block.readBigInt64BE(start) },
  { prefix: 2, bytes: 0, read: (block, start, end) => Uint8Array.from(block.subarray(start, end)) },
  { prefix: 2, bytes: 0, read: (block, start, end) => block.toString('utf8', start, end) },
  { prefix: 0, bytes: 8, read: (block, start) => block.readBigInt64BE(start) },
  { prefix: 0, bytes: 16, read: (block, start, end) => Uint8Array.from(block.subarray(start, end)) },
]

const stringType = 7

/**
 * One message with string headers (the only kind that services send in events).
 * Header names are at most 255 bytes and values 65,535; `payload` as UTF-8 when it is text.
 */
export function encodeEventStreamMessage(
  headers: readonly (readonly [name: string, value: string])[],
  payload: string | Uint8Array,
): Uint8Array {
  let headerBytes = 0
  for (const [name, value] of headers) headerBytes += 4 + Buffer.byteLength(name) + Buffer.byteLength(value)
  const payloadBytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength
  const total = overheadBytes + headerBytes + payloadBytes
  const out = Buffer.allocUnsafe(total)
  out.writeUInt32BE(total, 0)
  out.writeUInt32BE(headerBytes, 4)
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8)
  let at = preludeBytes
  for (const [name, value] of headers) {
    const nameBytes = out.write(name, at + 1)
    out[at] = nameBytes
    out[at + 1 + nameBytes] = stringType
    const valueBytes = out.write(value, at + 4 + nameBytes)
    out.writeUInt16BE(valueBytes, at + 2 + nameBytes)
    at += 4 + nameBytes + valueBytes
  }
  if (typeof payload === 'string') out.write(payload, at)
  else out.set(payload, at)
  out.writeUInt32BE(crc32(out.subarray(0, total - 4)), total - 4)
  return out
}

function malformed(what: string): Fault {
  return new Fault(faults.upstreamMalformed, { internal: `event stream: ${what}` })
}
