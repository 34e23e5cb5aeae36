/**
 * `ExportTraceServiceResponse`, of which one number counts: partial_success 1 → rejected_spans 1. Told by its first byte,
 * the answer is JSON or protobuf; a receiver answers as it was asked, but nothing here relies on it.
 */
import { isJsonObject } from '../domain/json.ts'

/** Spans that the receiver will never take; 0 where it says nothing, or nothing that can be read. */
export function rejectedSpans(body: Buffer): number {
  if (body.length === 0) return 0
  return body[0] === 0x7b ? rejectedInJson(body) : rejectedInProtobuf(body)
}

function rejectedInJson(body: Buffer): number {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'))
    const partial = isJsonObject(answer) ? answer['partialSuccess'] : undefined
    return isJsonObject(partial) ? counted(Number(partial['rejectedSpans'] ?? 0)) : 0
  } catch {
    return 0
  }
}

function rejectedInProtobuf(body: Buffer): number {
  const partial = findField(body, 1)
  const rejected = Buffer.isBuffer(partial) ? findField(partial, 1) : null
  return typeof rejected === 'number' ? counted(rejected) : 0
}

function counted(value: number): number {
  return Number.isSafeInteger(value) && value > 0 ? value : 0
}

/** A field with a varint or with bytes; null: it is not there, or the message is malformed. */
function findField(message: Buffer, wanted: number): number | Buffer | null {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 10; shift += 1) {
      const byte = message[at] ?? 0
      at += 1
      value += (byte & 0x7f) * 2 ** (7 * shift)
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < message.length) {
    const tag = varint()
    const isBytes = tag % 8 === 2
    if (!isBytes && tag % 8 !== 0) return null
    const value = varint()
    if (!Number.isSafeInteger(value)) return null
    const bytes = isBytes ? message.subarray(at, at + value) : null
    if (isBytes) at += value
    if (Math.floor(tag / 8) === wanted) return bytes ?? value
  }
  return null
}
