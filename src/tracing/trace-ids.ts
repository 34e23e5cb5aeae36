/** Ids of traces and spans: random, drawn many at a time, because a draw costs more than an id. */
import { randomFillSync } from 'node:crypto'

const poolBytes = 4096
const traceIdBytes = 16
const spanIdBytes = 8

export interface TraceIds {
  traceId(): string
  spanId(): string
}

export function createTraceIds(): TraceIds {
  const pool = Buffer.allocUnsafeSlow(poolBytes)
  let used = poolBytes
  function next(bytes: number): string {
    if (used + bytes > poolBytes) {
      randomFillSync(pool)
      used = 0
    }
    const id = pool.toString('hex', used, used + bytes)
    used += bytes
    return id
  }
  // All zero means "none"; it comes once in 2^64 draws of a span id.
  const traceId = (): string => {
    const id = next(traceIdBytes)
    return Number.parseInt(id, 16) === 0 ? traceId() : id
  }
  const spanId = (): string => {
    const id = next(spanIdBytes)
    return Number.parseInt(id, 16) === 0 ? spanId() : id
  }
  return { traceId, spanId }
}

const randomDigits = 13
const randomRange = 16 ** randomDigits

/**
 * Whether a trace belongs to a share. It follows from the id alone (the random bits at its end, as OpenTelemetry's
 * consistent sampling has it), so that everybody who samples by the same share keeps the same traces.
 */
export function isWithinRatio(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true
  if (!(ratio > 0)) return false
  return Number.parseInt(traceId.slice(-randomDigits), 16) / randomRange >= 1 - ratio
}
