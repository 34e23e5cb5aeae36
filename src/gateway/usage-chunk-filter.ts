/**
 * Hides the usage-only chunk of an openai-chat stream (`"choices":[]` with figures) that the caller did not ask for
 * but metering needs. Forwards whole server-sent events; at most one unfinished event is held, bounded, which costs
 * a reader nothing: half an event cannot be used.
 */
export interface UsageChunkFilter {
  push(chunk: Buffer): Buffer
  /** What is left at the end of the stream. */
  finish(): Buffer
}

const maxHeldBytes = 1_048_576
const empty = Buffer.alloc(0)
const carriageReturn = 0x0d
/** A blank line ends an event; lines end with LF, CRLF or CR (HTML Standard §9.2.5). */
const lineFeedBoundary = Buffer.from('\n\n')
const returnBoundaries = [Buffer.from('\n\r\n'), Buffer.from('\r\r')]
/** In every name of a figure, in no text: quotes inside of texts are escaped. */
const figure = Buffer.from('_tokens"')

export function createUsageChunkFilter(): UsageChunkFilter {
  let held: Buffer = empty
  return {
    push(chunk) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const end = endOfLastEvent(bytes)
      if (end === 0) {
        if (bytes.length > maxHeldBytes) {
          held = empty
          return bytes
        }
        held = bytes
        return empty
      }
      held = end === bytes.length ? empty : Buffer.from(bytes.subarray(end))
      return withoutUsageChunk(end === bytes.length ? bytes : bytes.subarray(0, end))
    },
    finish() {
      const rest = held
      held = empty
      return withoutUsageChunk(rest)
    },
  }
}

/** One past the last blank line, or 0. */
export function endOfLastEvent(bytes: Buffer): number {
  const at = bytes.lastIndexOf(lineFeedBoundary)
  let end = at < 0 ? 0 : at + lineFeedBoundary.length
  if (end === bytes.length || !bytes.includes(carriageReturn, end)) return end
  for (const boundary of returnBoundaries) {
    const found = bytes.lastIndexOf(boundary)
    if (found >= 0) end = Math.max(end, found + boundary.length)
  }
  return end
}

/** One past the first blank line at or after `start`, or the end. */
function endOfEvent(bytes: Buffer, start: number): number {
  const at = bytes.indexOf(lineFeedBoundary, start)
  let end = at < 0 ? bytes.length : at + lineFeedBoundary.length
  for (const boundary of returnBoundaries) {
    const found = bytes.indexOf(boundary, start)
    if (found >= 0) end = Math.min(end, found + boundary.length)
  }
  return end
}

function withoutUsageChunk(events: Buffer): Buffer {
  if (events.indexOf(figure) < 0) return events
  const kept: Buffer[] = []
  for (let start = 0; start < events.length; ) {
    const end = endOfEvent(events, start)
    const event = events.subarray(start, end)
    if (!isUsageOnly(event)) kept.push(event)
    start = end
  }
  return Buffer.concat(kept)
}

function isUsageOnly(event: Buffer): boolean {
  if (event.indexOf(figure) < 0) return false
  const line = event
    .toString('utf8')
    .split(/[\r\n]/)
    .find((candidate) => candidate.startsWith('data:'))
  if (line === undefined) return false
  try {
    const parsed = JSON.parse(line.slice(5)) as { choices?: unknown; usage?: unknown }
    return (
      Array.isArray(parsed.choices) &&
      parsed.choices.length === 0 &&
      parsed.usage !== null &&
      parsed.usage !== undefined
    )
  } catch {
    return false
  }
}
