/**
 * Usage records on their way to the control plane: one NDJSON line each, gathered into batches, kept until the
 * control plane says that they are on disk. Bound: `maxHeldBytes` held; then the worker takes no new exchanges
 * (fail closed: what cannot be metered is not served). Records of the class `best-effort` give way before that, the
 * oldest first, and are told of by their number.
 *
 *   record → lines ──(every flushMs or batchBytes)──▶ batch n ──▶ control plane
 *                                              held until ack n ◀──
 *
 * A batch that could not be stored stays held. Every `retryMs` the oldest of those goes again as a probe; once one
 * is stored, all others follow. So a full disk costs one small message a second, and heals by itself.
 */
import type { DroppedRecords } from '../domain/refusal.ts'
import type { EventClass } from '../domain/snapshot.ts'
import type { UsageRecord } from '../domain/usage.ts'
import type { TimerHandle, TimerWheel } from '../kernel/timer-wheel.ts'
import { createHeldBatches, createUsageLines, type UsageBatch, type UsageLines } from './usage-batches.ts'

export interface UsageOutbox {
  /** `stored` is called once the record is on disk; such a record waits for no others. */
  add(record: UsageRecord, eventClass: EventClass, stored?: () => void): void
  /** The control plane has `sequence` on disk. */
  acknowledge(sequence: number): void
  /** The control plane could not store `sequence`; it will be sent again. */
  refuse(sequence: number): void
  /** A new control plane: everything not acknowledged goes again (records have ids; repeats count once). */
  connect(send: (batch: UsageBatch) => void): void
  flush(): void
  readonly hasRoom: boolean
  /** Bytes of batches that are not acknowledged. */
  readonly heldBytes: number
  /** Batches not yet acknowledged, and lines not yet sent. */
  readonly isEmpty: boolean
}

export interface OutboxBounds {
  readonly flushMs: number
  readonly batchBytes: number
  readonly maxHeldBytes: number
  readonly retryMs: number
}

export const defaultOutboxBounds: OutboxBounds = Object.freeze({
  flushMs: 40,
  batchBytes: 262_144,
  maxHeldBytes: 67_108_864,
  retryMs: 1000,
})

/** What could not be stored, by number: the oldest goes again as a probe, all others after something was stored. */
function createRefusals(timers: TimerWheel, retryMs: number, send: (sequence: number) => void) {
  const refused = new Set<number>()
  let timer: TimerHandle | null = null

  function probe(): void {
    timer = null
    for (const oldest of refused) return send(oldest)
  }

  return {
    add(sequence: number): void {
      refused.add(sequence)
      if (timer === null) timer = timers.set(retryMs, probe)
    },
    stored(sequence: number): void {
      refused.delete(sequence)
      const others = [...refused]
      refused.clear()
      for (const each of others) send(each)
    },
    forget: (sequence: number) => refused.delete(sequence),
    clear: () => refused.clear(),
  }
}

/** Who waits for the disk: for lines that are not sent yet, and for batches by number. */
function createStorageWaits() {
  let waiting: (() => void)[] = []
  const byBatch = new Map<number, readonly (() => void)[]>()
  return {
    /** True: it is the first of its batch. */
    add: (stored: () => void): boolean => waiting.push(stored) === 1,
    goWith(sequence: number): void {
      if (waiting.length > 0) byBatch.set(sequence, waiting)
      waiting = []
    },
    stored(sequence: number): void {
      for (const stored of byBatch.get(sequence) ?? []) stored()
      byBatch.delete(sequence)
    },
  }
}

export function createUsageOutbox(
  timers: TimerWheel,
  bounds: OutboxBounds = defaultOutboxBounds,
  onDropped: (dropped: DroppedRecords) => void = () => undefined,
): UsageOutbox {
  const held = createHeldBatches(bounds.maxHeldBytes)
  const kept = createUsageLines(false)
  const loose = createUsageLines(true)
  // Where little may be held, giving up one batch must not be giving up everything.
  const batchBytes = Math.min(bounds.batchBytes, bounds.maxHeldBytes / 4)
  let sequence = 0
  let timer: NodeJS.Timeout | null = null
  let send: ((batch: UsageBatch) => void) | null = null
  const waits = createStorageWaits()
  const refusals = createRefusals(timers, bounds.retryMs, (refused) => {
    const batch = held.find(refused)
    if (batch !== null) send?.(batch)
  })

  function hand(lines: UsageLines): void {
    if (lines.length === 0) return
    sequence += 1
    if (lines === kept) waits.goWith(sequence)
    const batch = held.add(lines.take(sequence))
    send?.(batch)
  }

  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    hand(kept)
    hand(loose)
    for (const given of held.giveWay(onDropped)) refusals.forget(given)
  }

  return {
    add(record, eventClass, stored) {
      const lines = eventClass === 'best-effort' ? loose : kept
      lines.add(record)
      // One batch for all of this turn.
      if (stored !== undefined && waits.add(stored)) setImmediate(flush)
      if (lines.length >= batchBytes) flush()
      // Not the wheel's: its ticks would make twice as much of it. One at a time costs nothing.
      else timer ??= setTimeout(flush, bounds.flushMs).unref()
    },
    acknowledge(acknowledged) {
      if (held.remove(acknowledged) === null) return
      waits.stored(acknowledged)
      refusals.stored(acknowledged)
    },
    refuse(refused) {
      if (held.find(refused) !== null) refusals.add(refused)
    },
    connect(sender) {
      send = sender
      refusals.clear()
      for (const batch of held.all()) sender(batch)
    },
    flush,
    get heldBytes() {
      return held.bytes
    },
    get hasRoom() {
      return held.bytes < bounds.maxHeldBytes
    },
    get isEmpty() {
      return held.isEmpty && kept.length === 0 && loose.length === 0
    },
  }
}
