/** Ids of traces and spans: random, drawn many at a time, because a draw costs more than an id. */
import { randomBytes } from 'node:crypto'

const poolBytes = 4096
const noTrace = '0'.repeat(32)
const noId = '0'.repeat(16)

export interface TraceIds {
  traceId(): string
  spanId(): string
}

export function createTraceIds(): TraceIds {
  let digits = ''
  let used = 0
  function next(length: number): string {
    if (used + length > digits.length) {
      digits = randomBytes(poolBytes).toString('hex')
      used = 0
    }
    const id = digits.slice(used, used + length)
    used += length
    // All zero means "none".
    return id === noId || id === noTrace ? next(length) : id
  }
  return { traceId: () => next(noTrace.length), spanId: () => next(noId.length) }
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
