/**
 * The EventLog port over segment files.
 *
 *   append ─▶ queue ──(group: ≤ groupMs, ≤ groupBytes)──▶ writev ─▶ fdatasync ─▶ end moves, `done` is called
 *                                                        └─ error ─▶ cut back to the end, `done` with a fault
 *
 * A failed write leaves nothing half-visible and the log usable: with room on the disk the next group succeeds.
 * After a failed fdatasync nobody knows what is on disk (the kernel may have dropped the pages), so the log takes
 * nothing more until it is opened again. Bound: `maxPendingBytes` wait at a time.
 */
import { mkdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { type EventFrame, type EventLog, maxEventBytes } from '../../ports/event-log.ts'
import {
  frameHeader,
  frameHeaderBytes,
  type Position,
  readCursor,
  segmentMagic,
  segmentName,
  writeCursor,
} from './frame.ts'
import { readFrames } from './read-frames.ts'
import { createSegment, listSegments, type OpenSegment, recoverSegment, type TornTail } from './segments.ts'
import { acquireWriterLock } from './writer-lock.ts'

export interface EventLogOptions {
  /** Created (0700) when absent. */
  readonly directory: string
  /** A new segment begins above this; default 64 MiB. */
  readonly segmentBytes?: number
  /** Longest wait for others to share a sync with, milliseconds; default 10. */
  readonly groupMs?: number
  /** Segments kept at most by `prune`; default 256. */
  readonly maxSegments?: number
  /** Segments not written to for longer are let go by `prune`; default 90 days. */
  readonly maxAgeMs?: number
  /** A torn tail was cut off on opening, or a damaged part was skipped on reading. */
  readonly onDamage?: (damage: TornTail) => void
}

const groupBytes = 8 * 1024 * 1024
/** Half of IOV_MAX (1,024 on Linux): each payload goes with its header. */
const groupFrames = 500
const maxPendingBytes = 64 * 1024 * 1024
const dayMs = 24 * 60 * 60 * 1000
const defaults = { segmentBytes: 64 * 1024 * 1024, groupMs: 10, maxSegments: 256, maxAgeMs: 90 * dayMs }

interface Pending {
  readonly payload: Uint8Array
  readonly done: ((fault: Fault | null) => void) | undefined
}

type Settings = Required<Omit<EventLogOptions, 'onDamage'>> & Pick<EventLogOptions, 'onDamage'>

function unavailable(internal: string, cause?: unknown): Fault {
  return new Fault(faults.storageUnavailable, { internal, cause })
}

class SegmentedEventLog implements EventLog {
  readonly #settings: Settings
  readonly #lock: { release(): void }
  readonly #listeners = new Set<() => void>()
  #current: OpenSegment
  /** Durable size of the current segment. */
  #size: number
  #queue: Pending[] = []
  #pendingBytes = 0
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> | null = null
  /** Why nothing is taken any more. */
  #refusal: Fault | null = null
  #isClosed = false

  constructor(settings: Settings, lock: { release(): void }, current: OpenSegment) {
    this.#settings = settings
    this.#lock = lock
    this.#current = current
    this.#size = current.size
  }

  append(payload: Uint8Array, done?: (fault: Fault | null) => void): void {
    const fault = this.#refusalOf(payload)
    if (fault !== null) {
      done?.(fault)
      return
    }
    this.#queue.push({ payload, done })
    this.#pendingBytes += payload.byteLength + frameHeaderBytes
    if (this.#writing !== null) return
    if (this.#pendingBytes >= groupBytes) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), this.#settings.groupMs)
  }

  #refusalOf(payload: Uint8Array): Fault | null {
    if (this.#isClosed) return unavailable('the event log is closed')
    if (this.#refusal !== null) return this.#refusal
    if (payload.byteLength > maxEventBytes) return unavailable('the payload exceeds the bound')
    if (this.#pendingBytes + payload.byteLength > maxPendingBytes)
      return unavailable('too much waits for the disk')
    return null
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#writing !== null || this.#queue.length === 0) return
    this.#writing = this.#drain()
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup()
      const fault = await this.#write(group)
      for (const { payload, done } of group) {
        this.#pendingBytes -= payload.byteLength + frameHeaderBytes
        done?.(fault)
      }
      if (fault === null) for (const listener of this.#listeners) listener()
    }
    // In the same turn as the last look at the queue: an append from now on starts a group of its own.
    this.#writing = null
  }

  #takeGroup(): readonly Pending[] {
    let bytes = 0
    let count = 0
    for (const { payload } of this.#queue) {
      bytes += payload.byteLength + frameHeaderBytes
      if (count > 0 && (bytes > groupBytes || count === groupFrames)) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  /** Null when the group is durable. */
  async #write(group: readonly Pending[]): Promise<Fault | null> {
    if (this.#refusal !== null) return this.#refusal
    const buffers: Uint8Array[] = []
    let bytes = 0
    for (const { payload } of group) {
      buffers.push(frameHeader(payload), payload)
      bytes += frameHeaderBytes + payload.byteLength
    }
    try {
      await this.#rollIfFull(bytes)
      await writeAll(this.#current.file, buffers, this.#size)
    } catch (error) {
      return this.#cutBack(error)
    }
    try {
      await this.#current.file.datasync()
    } catch (error) {
      this.#refusal = unavailable('a sync of the event log failed; open it again', error)
      // What is known to be on disk stays; whoever opens the log next must not find, and go on after, the rest.
      await this.#current.file.truncate(this.#size).catch(() => undefined)
      return this.#refusal
    }
    this.#size += bytes
    return null
  }

  async #rollIfFull(bytes: number): Promise<void> {
    const isEmpty = this.#size === segmentMagic.length
    if (isEmpty || this.#size + bytes <= this.#settings.segmentBytes) return
    const next = await createSegment(this.#settings.directory, this.#current.segment + 1)
    const before = this.#current
    this.#current = next
    this.#size = next.size
    await before.file.close()
  }

  async #cutBack(error: unknown): Promise<Fault> {
    try {
      await this.#current.file.truncate(this.#size)
      return unavailable('the event log cannot be written', error)
    } catch (cause) {
      this.#refusal = unavailable('the event log cannot be cut back; open it again', cause)
      return this.#refusal
    }
  }

  get isBroken(): boolean {
    return this.#refusal !== null
  }

  end(): string {
    return writeCursor(this.#position())
  }

  #position(): Position {
    return { segment: this.#current.segment, offset: this.#size }
  }

  async *read(from: string | null, until?: string): AsyncGenerator<EventFrame, void, undefined> {
    const start = from === null ? { segment: 0, offset: 0 } : readCursor(from)
    const last = this.#position()
    if (start.segment > last.segment || (start.segment === last.segment && start.offset > last.offset)) {
      throw new RangeError('the cursor lies beyond the end of the event log')
    }
    let segment = await this.#segmentFrom(start.segment)
    while (segment !== null) {
      const end = this.#endFor(until)
      if (segment > end.segment) return
      const path = join(this.#settings.directory, segmentName(segment))
      const to = segment === end.segment ? end.offset : (await stat(path)).size
      const begin =
        segment === start.segment ? Math.max(start.offset, segmentMagic.length) : segmentMagic.length
      const damagedAt = yield* this.#readSegment({ path, from: begin, to, segment })
      if (damagedAt !== null) this.#settings.onDamage?.({ segment, offset: damagedAt, bytes: to - damagedAt })
      // Segments made while this one was read are followed too.
      segment = segment < end.segment ? await this.#segmentFrom(segment + 1) : null
    }
  }

  /** Where reading ends for now: the durable end, or `until` where that is nearer. */
  #endFor(until: string | undefined): Position {
    const end = this.#position()
    if (until === undefined) return end
    const wanted = readCursor(until)
    const isNearer =
      wanted.segment < end.segment || (wanted.segment === end.segment && wanted.offset < end.offset)
    return isNearer ? wanted : end
  }

  async *#readSegment(slice: {
    readonly path: string
    readonly from: number
    readonly to: number
    readonly segment: number
  }): AsyncGenerator<EventFrame, number | null, undefined> {
    if (slice.from >= slice.to) return null
    const frames = readFrames(slice)
    try {
      for (;;) {
        const step = await frames.next()
        if (step.done === true) return step.value
        const { payload, offset } = step.value
        yield { payload, cursor: writeCursor({ segment: slice.segment, offset }) }
      }
    } finally {
      await frames.return(null)
    }
  }

  /** The oldest segment that is at least `wanted`. */
  async #segmentFrom(wanted: number): Promise<number | null> {
    const segments = await listSegments(this.#settings.directory)
    return segments.find((segment) => segment >= wanted && segment <= this.#current.segment) ?? null
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  compare(left: string, right: string): number {
    const [one, other] = [readCursor(left), readCursor(right)]
    return one.segment - other.segment || one.offset - other.offset
  }

  async size(from: string | null): Promise<number> {
    const start = from === null ? { segment: 0, offset: 0 } : readCursor(from)
    let bytes = 0
    for (const segment of await listSegments(this.#settings.directory)) {
      if (segment < start.segment) continue
      const { size } = await stat(join(this.#settings.directory, segmentName(segment)))
      bytes += Math.max(0, segment === start.segment ? size - start.offset : size)
    }
    return bytes
  }

  async prune(keep: string, beforeRemoval?: (end: string) => Promise<void>): Promise<number> {
    const going = await this.#segmentsToRemove(readCursor(keep).segment)
    const last = going.at(-1)
    if (last === undefined) return 0
    await beforeRemoval?.(writeCursor({ segment: last + 1, offset: 0 }))
    for (const segment of going) await unlink(join(this.#settings.directory, segmentName(segment)))
    return going.length
  }

  /** What retention lets go, oldest first. */
  async #segmentsToRemove(keep: number): Promise<readonly number[]> {
    const { directory, maxSegments, maxAgeMs } = this.#settings
    const first = Math.min(keep, this.#current.segment)
    const segments = await listSegments(directory)
    const oldest = Date.now() - maxAgeMs
    const going: number[] = []
    for (const segment of segments) {
      if (segment >= first) break
      const isSurplus = segments.length - going.length > maxSegments
      if (!isSurplus && (await stat(join(directory, segmentName(segment)))).mtimeMs >= oldest) break
      going.push(segment)
    }
    return going
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#flush()
    if (this.#writing !== null) await this.#writing
    await this.#current.file.close()
    this.#lock.release()
  }
}

async function writeAll(
  file: OpenSegment['file'],
  buffers: readonly Uint8Array[],
  position: number,
): Promise<void> {
  const total = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0)
  const { bytesWritten } = await file.writev(buffers, position)
  if (bytesWritten === total) return
  // A short write is rare (a disk about to be full): carry on from one copy.
  const bytes = Buffer.concat(buffers)
  let written = bytesWritten
  while (written < total) {
    const result = await file.write(bytes, written, total - written, position + written)
    if (result.bytesWritten === 0) throw new Error('the file system took nothing')
    written += result.bytesWritten
  }
}

/** Throws `faults.dataDirectory` when another process writes here, or the error of the file system. */
export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const settings: Settings = { ...defaults, ...options }
  await mkdir(settings.directory, { recursive: true, mode: 0o700 })
  const lock = acquireWriterLock(settings.directory)
  try {
    const last = (await listSegments(settings.directory)).at(-1)
    if (last === undefined) {
      return new SegmentedEventLog(settings, lock, await createSegment(settings.directory, 1))
    }
    const { torn, ...current } = await recoverSegment(settings.directory, last)
    if (torn !== null) settings.onDamage?.(torn)
    return new SegmentedEventLog(settings, lock, current)
  } catch (error) {
    lock.release()
    throw error
  }
}
