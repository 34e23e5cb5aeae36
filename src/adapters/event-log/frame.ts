/**
 * Segments and frames on disk, little-endian:
 *
 *   segment: events-0000000001.log = magic(8) frame*
 *   frame:   length u32 │ CRC-32 u32 │ payload          the CRC covers length and payload
 *
 * The length is part of the checksum, so that a torn or overwritten header cannot lead a reader astray.
 */
import { crc32 } from 'node:zlib'
import { maxEventBytes } from '../../ports/event-log.ts'

export const segmentMagic = Buffer.from('GWEVLOG1', 'latin1')
export const frameHeaderBytes = 8

export interface Position {
  readonly segment: number
  readonly offset: number
}

function checksum(header: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, crc32(header.subarray(0, 4)))
}

export function frameHeader(payload: Uint8Array): Buffer {
  const header = Buffer.alloc(frameHeaderBytes)
  header.writeUInt32LE(payload.byteLength, 0)
  header.writeUInt32LE(checksum(header, payload), 4)
  return header
}

/** Length of the payload that a header announces, or -1 when no writer of ours can have written it. */
export function announcedLength(header: Buffer): number {
  const length = header.readUInt32LE(0)
  return length <= maxEventBytes ? length : -1
}

/** True when `frame` (header and payload) is whole. */
export function isIntact(frame: Buffer): boolean {
  return frame.readUInt32LE(4) === checksum(frame, frame.subarray(frameHeaderBytes))
}

export function segmentName(segment: number): string {
  return `events-${String(segment).padStart(10, '0')}.log`
}

/** Segment number of a file name, or null. */
export function segmentNumber(name: string): number | null {
  if (name.length !== 21 || !name.startsWith('events-') || !name.endsWith('.log')) return null
  return wholeNumber(name.slice(7, 17))
}

export function writeCursor({ segment, offset }: Position): string {
  return `${segment}.${offset}`
}

/** Throws RangeError for what is no cursor of ours. */
export function readCursor(cursor: string): Position {
  const dot = cursor.indexOf('.')
  const segment = wholeNumber(cursor.slice(0, Math.max(dot, 0)))
  const offset = wholeNumber(cursor.slice(dot + 1))
  if (segment === null || offset === null) throw new RangeError('not a cursor of the event log')
  return { segment, offset }
}

function wholeNumber(digits: string): number | null {
  if (digits.length === 0 || digits.length > 15) return null
  for (const char of digits) if (char < '0' || char > '9') return null
  return Number(digits)
}
