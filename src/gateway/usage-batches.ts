/** Usage records as NDJSON: lines until they go as a batch, and batches until the control plane has them on disk. */
import type { DroppedRecords } from '../domain/refusal.ts'
import type { UsageRecord } from '../domain/usage.ts'
import { createLineBuffer } from '../kernel/line-buffer.ts'

export interface UsageBatch {
  readonly sequence: number
  /** NDJSON, UTF-8. */
  readonly lines: Uint8Array
}

export interface HeldBatch extends UsageBatch {
  /** What to say where it is given up; null: it never is. */
  readonly loose: DroppedRecords | null
}

export type UsageLines = ReturnType<typeof createUsageLines>

/** `isLoose`: what is of the class `best-effort`. */
export function createUsageLines(isLoose: boolean) {
  const gathered = createLineBuffer()
  let count = 0
  let id = ''
  let time = 0
  return {
    /** Bytes. */
    get length() {
      return gathered.length
    },
    add(record: UsageRecord): void {
      if (count === 0) {
        id = record.id
        time = record.time
      }
      gathered.add(JSON.stringify(record))
      count += 1
    },
    take(sequence: number): HeldBatch {
      const batch = { sequence, lines: gathered.take(), loose: isLoose ? { id, time, count } : null }
      count = 0
      return batch
    },
  }
}

/** What is not acknowledged, oldest first. */
export function createHeldBatches(maxBytes: number) {
  const batches = new Map<number, HeldBatch>()
  let bytes = 0
  let looseCount = 0

  function remove(sequence: number): HeldBatch | null {
    const batch = batches.get(sequence)
    if (batch === undefined) return null
    batches.delete(sequence)
    bytes -= batch.lines.byteLength
    if (batch.loose !== null) looseCount -= 1
    return batch
  }

  return {
    get bytes() {
      return bytes
    },
    get isEmpty() {
      return batches.size === 0
    },
    all: () => batches.values(),
    find: (sequence: number): HeldBatch | null => batches.get(sequence) ?? null,
    add(batch: HeldBatch): HeldBatch {
      batches.set(batch.sequence, batch)
      bytes += batch.lines.byteLength
      if (batch.loose !== null) looseCount += 1
      return batch
    },
    remove,
    /** Removes the oldest of those that may be given up, until there is room or none is left; says which they were. */
    giveWay(onDropped: (dropped: DroppedRecords) => void): readonly number[] {
      const given: number[] = []
      for (const batch of batches.values()) {
        if (bytes < maxBytes || looseCount === 0) break
        if (batch.loose === null) continue
        remove(batch.sequence)
        given.push(batch.sequence)
        onDropped(batch.loose)
      }
      return given
    },
  }
}
