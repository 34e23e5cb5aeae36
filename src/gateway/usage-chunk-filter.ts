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
const boundary = Buffer.from('\n\n')
const usageOnly = Buffer.from('"choices":[]')

export function createUsageChunkFilter(): UsageChunkFilter {
  let held: Buffer = empty
  return {
    push(chunk) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const last = bytes.lastIndexOf(boundary)
      if (last < 0) {
        if (bytes.length > maxHeldBytes) {
          held = empty
          return bytes
        }
        held = bytes
        return empty
      }
      const end = last + boundary.length
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

function withoutUsageChunk(events: Buffer): Buffer {
  if (events.indexOf(usageOnly) < 0) return events
  const kept: Buffer[] = []
  for (let start = 0; start < events.length; ) {
    const at = events.indexOf(boundary, start)
    const end = at < 0 ? events.length : at + boundary.length
    const event = events.subarray(start, end)
    if (!isUsageOnly(event)) kept.push(event)
    start = end
  }
  return Buffer.concat(kept)
}

function isUsageOnly(event: Buffer): boolean {
  if (event.indexOf(usageOnly) < 0) return false
  const line = event
    .toString('utf8')
    .split('\n')
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
