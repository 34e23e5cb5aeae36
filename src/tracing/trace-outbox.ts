/**
 * Traces on their way to the control plane: one NDJSON line each, in batches. Best effort: at most `maxHeldBytes` wait
 * for the control plane to take them; what comes beyond is dropped and counted, and requests know nothing of it.
 */
import { createLineBuffer } from '../kernel/line-buffer.ts'
import type { TimerHandle, TimerWheel } from '../kernel/timer-wheel.ts'
import type { TraceRecord } from './trace-record.ts'

export interface TraceBatch {
  readonly type: 'traces'
  readonly sequence: number
  /** NDJSON, UTF-8. */
  readonly lines: Uint8Array
  /** Traces dropped since the last batch. */
  readonly dropped: number
}

export interface TraceOutbox {
  add(record: TraceRecord): void
  /** The control plane is done with batch number `sequence`. */
  acknowledge(sequence: number): void
  /** A new control plane; what the last one had is gone. */
  connect(send: (batch: TraceBatch) => void): void
  flush(): void
}

export interface TraceOutboxBounds {
  readonly flushMs: number
  readonly batchBytes: number
  readonly maxHeldBytes: number
}

const defaultBounds: TraceOutboxBounds = Object.freeze({
  flushMs: 100,
  batchBytes: 262_144,
  maxHeldBytes: 8_388_608,
})

export function createTraceOutbox(
  timers: TimerWheel,
  bounds: TraceOutboxBounds = defaultBounds,
): TraceOutbox {
  const held = new Map<number, number>()
  let heldBytes = 0
  const lines = createLineBuffer()
  let sequence = 0
  let dropped = 0
  let timer: TimerHandle | null = null
  let send: ((batch: TraceBatch) => void) | null = null

  function flush(): void {
    timer?.clear()
    timer = null
    if (lines.length === 0 || send === null) return
    sequence += 1
    const batch = { type: 'traces' as const, sequence, lines: lines.take(), dropped }
    dropped = 0
    held.set(sequence, batch.lines.byteLength)
    heldBytes += batch.lines.byteLength
    send(batch)
  }

  return {
    add(record) {
      if (send === null || heldBytes + lines.length > bounds.maxHeldBytes) {
        dropped += 1
        return
      }
      lines.add(JSON.stringify(record))
      if (lines.length >= bounds.batchBytes) flush()
      else timer ??= timers.set(bounds.flushMs, flush)
    },
    acknowledge(acknowledged) {
      heldBytes -= held.get(acknowledged) ?? 0
      held.delete(acknowledged)
    },
    connect(sender) {
      send = sender
      held.clear()
      heldBytes = 0
    },
    flush,
  }
}
