/**
 * Reads one lane for one sink and cuts it into batches. Batches may end in any order; the place that is stored moves
 * over those at the front that have ended, so that a restart repeats what may not have arrived, and skips nothing.
 *
 *   lane ──frames──▶ events that the sink wants ──▶ batches under way:  ✓ ✓ … ✓ …
 *                                                     place stored here ──┘
 *
 * Bounds: `maxUnderWay` batches in memory, and one that is being filled.
 */
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { Clock } from '../kernel/clock.ts'
import type { EventCursor } from '../ports/event-log.ts'
import type { CursorBook } from './cursor-book.ts'
import type { EventLane, SizedEvent } from './event-lane.ts'

export interface BatchBounds {
  readonly events: number
  readonly bytes: number
  /** Longest wait for a batch to fill, milliseconds. */
  readonly waitMs: number
}

export interface LaneReaderOptions {
  readonly lane: EventLane
  readonly cursors: CursorBook
  readonly cursorName: string
  readonly bounds: BatchBounds
  readonly clock: Clock
  readonly wants: (event: OversightEvent) => boolean
  /** Resolves when every event was taken or put aside; rejects when the sink is being closed. */
  readonly deliver: (batch: readonly OversightEvent[]) => Promise<void>
  /** Reading or storing the place failed; it is tried again. */
  readonly onFailure: (error: unknown) => void
}

interface Batch {
  readonly events: OversightEvent[]
  bytes: number
  /** The place behind it where a frame ends there; null: it ends within a frame. */
  cursor: EventCursor | null
  isDone: boolean
  /** Monotone milliseconds at which it was begun. */
  readonly since: number
}

const maxUnderWay = 16
const saveEveryMs = 1000
const retryMs = 1000

export class LaneReader {
  readonly #options: LaneReaderOptions
  #underWay: Batch[] = []
  #filling: Batch | null = null
  /** All before it has arrived. */
  #confirmed: EventCursor | null = null
  #saved: EventCursor | null = null
  #isStopped = false
  #wake = (): void => undefined
  #running: Promise<void> = Promise.resolve()
  #saving: Promise<void> = Promise.resolve()
  #saveTimer: NodeJS.Timeout | null = null

  constructor(options: LaneReaderOptions) {
    this.#options = options
  }

  /** Up to here everything has arrived; null: not known yet. */
  get confirmed(): EventCursor | null {
    return this.#confirmed
  }

  /** Age of the oldest event that is under way, milliseconds; 0: none is. */
  get lagMs(): number {
    const oldest = this.#underWay[0]?.events[0] ?? this.#filling?.events[0]
    return oldest === undefined ? 0 : Math.max(0, this.#options.clock.now() - oldest.time)
  }

  /** Begins where it ended; a sink that is new begins with what happens from now on. */
  async start(): Promise<void> {
    const { lane, cursors, cursorName } = this.#options
    const stored = await cursors.read(cursorName)
    this.#saved = stored
    this.#confirmed = stored ?? lane.log.end()
    // A place that is not in this log any more is that of another data directory.
    if (lane.log.compare(this.#confirmed, lane.log.end()) > 0) this.#confirmed = lane.log.end()
    if (stored === null) await this.#save()
    this.#running = this.#run(this.#confirmed)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    await this.#running
    if (this.#saveTimer !== null) clearTimeout(this.#saveTimer)
    await this.#saving
    await this.#save().catch((error: unknown) => this.#options.onFailure(error))
  }

  async #run(from: EventCursor): Promise<void> {
    const { lane, onFailure } = this.#options
    let at = from
    let hasMore = false
    const stop = lane.log.subscribe(() => {
      hasMore = true
      this.#wake()
    })
    while (!this.#isStopped) {
      hasMore = false
      try {
        for await (const frame of lane.log.read(at)) {
          await this.#take(lane.decode(frame.payload))
          if (this.#isStopped) break
          at = frame.cursor
          this.#mark(at)
        }
      } catch (error) {
        onFailure(error)
        await this.#rest(retryMs)
      }
      if (!hasMore) await this.#waitForMore()
    }
    stop()
  }

  async #waitForMore(): Promise<void> {
    const { bounds, clock } = this.#options
    if (this.#filling === null) return this.#rest(null)
    const left = this.#filling.since + bounds.waitMs - clock.monotonic()
    if (left > 0) return this.#rest(left)
    await this.#dispatch()
  }

  /** Until woken, or for so long. */
  #rest(ms: number | null): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = ms === null ? null : setTimeout(resolve, ms)
      this.#wake = () => {
        if (timer !== null) clearTimeout(timer)
        resolve()
      }
    })
  }

  async #take(events: Iterable<SizedEvent>): Promise<void> {
    const { wants, bounds, clock } = this.#options
    for (const { event, bytes } of events) {
      if (!wants(event)) continue
      this.#filling ??= { events: [], bytes: 0, cursor: null, isDone: false, since: clock.monotonic() }
      this.#filling.events.push(event)
      this.#filling.bytes += bytes
      if (this.#filling.events.length >= bounds.events || this.#filling.bytes >= bounds.bytes)
        await this.#dispatch()
      if (this.#isStopped) return
    }
    const { since } = this.#filling ?? { since: Number.POSITIVE_INFINITY }
    if (clock.monotonic() - since >= bounds.waitMs) await this.#dispatch()
  }

  /** Everything up to `cursor` was read: it has arrived when what is under way has. */
  #mark(cursor: EventCursor): void {
    const last = this.#filling ?? this.#underWay.at(-1)
    if (last === undefined) this.#confirm(cursor)
    else last.cursor = cursor
  }

  /** Resolves when there is room for another batch. */
  async #dispatch(): Promise<void> {
    const batch = this.#filling
    if (batch === null) return
    this.#filling = null
    this.#underWay.push(batch)
    this.#options.deliver(batch.events).then(
      () => this.#end(batch),
      () => this.#wake(),
    )
    // In a turn of its own: catching up with a long backlog keeps nobody else waiting.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#underWay.length >= maxUnderWay && !this.#isStopped) await this.#rest(null)
  }

  #end(batch: Batch): void {
    batch.isDone = true
    let cursor: EventCursor | null = null
    while (this.#underWay[0]?.isDone === true) cursor = this.#underWay.shift()?.cursor ?? cursor
    if (cursor !== null) this.#confirm(cursor)
    this.#wake()
  }

  #confirm(cursor: EventCursor): void {
    this.#confirmed = cursor
    if (this.#isStopped || this.#saveTimer !== null) return
    this.#saveTimer = setTimeout(() => {
      this.#saveTimer = null
      this.#saving = this.#save().catch((error: unknown) => {
        this.#options.onFailure(error)
        if (this.#confirmed !== null) this.#confirm(this.#confirmed)
      })
    }, saveEveryMs)
    this.#saveTimer.unref()
  }

  async #save(): Promise<void> {
    const cursor = this.#confirmed
    if (cursor === null || cursor === this.#saved) return
    await this.#options.cursors.save(this.#options.cursorName, cursor)
    this.#saved = cursor
  }
}
