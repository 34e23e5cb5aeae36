/**
 * Refusals of unknown callers, and of connections, on their way to the control plane. Alike ones (fault and address) are counted together
 * until they are told, once a second; one batch at a time is under way. So a flood costs memory and disk as much as
 * `maxRows` callers, whatever its size, and none of it is uncounted: while the disk takes nothing, counts go up. Records
 * of exchanges that were given up are one number beside them.
 *
 *   refused ─▶ rows by fault and address ──(flushMs)──▶ batch n ──▶ control plane
 *                 beyond maxRows: by fault alone          held until ack n ◀──
 */
import type { DroppedRecords, Refusal } from '../domain/refusal.ts'
import type { TimerHandle, TimerWheel } from '../kernel/timer-wheel.ts'

export interface RefusalBatch {
  readonly sequence: number
  readonly refusals: readonly Refusal[]
  /** Null: none were given up. */
  readonly dropped: DroppedRecords | null
}

export interface RefusalOutbox {
  add(refusal: Omit<Refusal, 'count'>): void
  addDropped(dropped: DroppedRecords): void
  /** The control plane has `sequence` on disk. */
  acknowledge(sequence: number): void
  /** It could not store it: the batch goes again a moment later. */
  refuse(sequence: number): void
  /** A new control plane: what was not acknowledged goes again. */
  connect(send: (batch: RefusalBatch) => void): void
  flush(): void
  readonly isEmpty: boolean
}

export interface RefusalBounds {
  readonly flushMs: number
  readonly maxRows: number
}

export const defaultRefusalBounds: RefusalBounds = Object.freeze({ flushMs: 1000, maxRows: 200 })

type Row = { -readonly [K in keyof Refusal]: Refusal[K] }

export function createRefusalOutbox(
  timers: TimerWheel,
  { flushMs, maxRows }: RefusalBounds = defaultRefusalBounds,
): RefusalOutbox {
  let rows = new Map<string, Row>()
  let dropped: DroppedRecords | null = null
  let held: RefusalBatch | null = null
  let sequence = 0
  let timer: TimerHandle | null = null
  let send: ((batch: RefusalBatch) => void) | null = null

  const hasMore = (): boolean => rows.size > 0 || dropped !== null

  function schedule(): void {
    timer ??= timers.set(flushMs, flush)
  }

  function flush(): void {
    timer?.clear()
    timer = null
    if (held === null && hasMore()) {
      sequence += 1
      held = { sequence, refusals: [...rows.values()], dropped }
      rows = new Map()
      dropped = null
    }
    if (held !== null) send?.(held)
  }

  return {
    add(refusal) {
      const isKnown = rows.has(`${refusal.fault} ${refusal.address}`)
      const address = isKnown || rows.size < maxRows ? refusal.address : ''
      const key = `${refusal.fault} ${address}`
      const row = rows.get(key)
      if (row === undefined) rows.set(key, { ...refusal, address, count: 1 })
      else row.count += 1
      if (held === null) schedule()
    },
    addDropped(more) {
      dropped = dropped === null ? more : { ...dropped, count: dropped.count + more.count }
      if (held === null) schedule()
    },
    acknowledge(acknowledged) {
      if (held?.sequence !== acknowledged) return
      held = null
      if (hasMore()) schedule()
    },
    refuse(refused) {
      if (held?.sequence === refused) schedule()
    },
    connect(sender) {
      send = sender
      if (held !== null) sender(held)
    },
    flush,
    get isEmpty() {
      return held === null && !hasMore()
    },
  }
}
