/**
 * Port: an append-only log of opaque payloads on disk, read by cursors.
 *
 * An append is durable when `done` is called without a fault, and only then can it be read: no reader ever sees a
 * part of a payload, nor one that may still be lost. Appends become durable in the order of their calls.
 *
 * Bounds: a payload of at most `maxEventBytes`; what waits for the disk is bounded by the adapter, which refuses
 * more with `faults.storageUnavailable`, as it does when the disk is full.
 */
import type { Fault } from '../kernel/fault.ts'

/** Bytes. */
export const maxEventBytes = 16 * 1024 * 1024

/** A place in the log: opaque text, equal for equal places. */
export type EventCursor = string

export interface EventFrame {
  /** Valid until the iterator is asked for the next frame. */
  readonly payload: Buffer
  /** The place after this frame. */
  readonly cursor: EventCursor
}

export interface EventLog {
  append(payload: Uint8Array, done?: (fault: Fault | null) => void): void
  /**
   * Frames from a cursor (null: the oldest kept) to the end that is durable when it gets there. A cursor into a
   * part that retention has removed goes on at the oldest kept. With `to` it ends there, or at the end if that
   * comes first. Memory: one frame and one read buffer. Throws RangeError for a cursor that is none of this log.
   */
  read(from: EventCursor | null, to?: EventCursor): AsyncIterableIterator<EventFrame>
  /** Nobody knows what is on disk any more: nothing is taken until the log is opened again. */
  readonly isBroken: boolean
  /** The place after the last durable frame. */
  end(): EventCursor
  /** Called after each time the end has moved. Returns the way to stop it. */
  subscribe(listener: () => void): () => void
  /** Negative where `left` is the earlier place, 0 where they are the same. Throws RangeError as `read` does. */
  compare(left: EventCursor, right: EventCursor): number
  /** Bytes on disk from a place (null: all) to the end. */
  size(from: EventCursor | null): Promise<number>
  /**
   * Removes what retention lets go, but nothing at or after `keep`. Returns how many segments went. Where any go,
   * `beforeRemoval` is told first up to where; when it rejects, none go.
   */
  prune(keep: EventCursor, beforeRemoval?: (end: EventCursor) => Promise<void>): Promise<number>
  /** Waits for what was appended, then lets go of files and lock. */
  close(): Promise<void>
}
