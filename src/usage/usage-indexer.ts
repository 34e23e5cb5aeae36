/**
 * Reads usage batches (NDJSON) from the event log and keeps the sums by minute, hour and day.
 *
 *   event log ──frames──▶ ids not seen before ──▶ sums in memory ──(each flush)──▶ sums + cursor, one transaction
 *
 * Exactly once: what was summed but not stored is read again after a crash or a failed flush, from the stored
 * cursor, with the window of seen ids rebuilt from the log. Bounds: `maxPending` series in memory between flushes,
 * one frame at a time, slices of a few milliseconds.
 */
import { type Clock, systemClock } from '../kernel/clock.ts'
import type { EventCursor, EventLog } from '../ports/event-log.ts'
import type { UsageStore } from '../ports/usage-store.ts'
import { createIdWindow, generationSize, type IdWindow } from './id-window.ts'
import { defaultUsageRetention, pruneUsage, type UsageRetention } from './prune-usage.ts'
import { readUsageRecord } from './read-usage-record.ts'
import { createRollupAccumulator, type RollupAccumulator } from './rollup-accumulator.ts'
import { createUsageScan, scanUsageLine } from './scan-usage-line.ts'
import { createTimeSlice } from './time-slice.ts'

const defaultCursorName = 'usage'
const defaultMaxPending = 5000
const hourMs = 3_600_000
const recordsPerLook = 32

export interface UsageIndexerOptions {
  readonly log: EventLog
  readonly store: UsageStore
  /** Between the arrival of events and storing their sums, milliseconds; default 1,000. */
  readonly flushMs?: number
  /** Series in memory that make a flush due before its time; default 5,000. */
  readonly maxPending?: number
  /** Ids remembered per generation; default `generationSize`. */
  readonly windowSize?: number
  /** Sums older than this are removed, hourly; asked for each time, because configuration changes. */
  readonly retention?: () => UsageRetention
  /** Whose place it is, where several logs are summed into one store; default `usage`. */
  readonly cursorName?: string
  readonly clock?: Clock
  /** A pass failed and will be tried again after `flushMs`. */
  readonly onFailure?: (error: unknown) => void
}

export interface UsageIndexerCounts {
  readonly records: number
  readonly duplicates: number
  /** Lines that are no usage record; they are skipped. */
  readonly malformed: number
}

export interface UsageIndexer {
  /** Goes through everything that is durable now and stores it. */
  catchUp(): Promise<void>
  /** Catches up now and after each append, until stopped. */
  start(): void
  stop(): Promise<void>
  counts(): UsageIndexerCounts
  /** The place up to which sums are stored: retention of the log must keep what lies after. */
  position(): EventCursor | null
  /** How long ago all that was there was stored, while more is there now; 0: nothing is. Milliseconds. */
  lagMs(): number
}

interface StoredPlace {
  /** Sums are stored up to here. */
  readonly at: EventCursor
  /** Where the window of seen ids begins. */
  readonly window: EventCursor | null
}

interface State {
  /** The stored text, to detect another writer. */
  stored: string | null
  at: EventCursor | null
  window: IdWindow
  readonly pending: RollupAccumulator
}

function readPlace(stored: string | null): StoredPlace | null {
  if (stored === null) return null
  const [at, window] = stored.split(' ')
  if (at === undefined || window === undefined) throw new Error('the usage cursor is malformed')
  return { at, window: window === '-' ? null : window }
}

interface Passage {
  readonly window: IdWindow
  readonly counts: { records: number; duplicates: number; malformed: number }
  /** Null: only the window is rebuilt. */
  readonly pending: RollupAccumulator | null
}

const scan = createUsageScan()

/** One line: scanned where its series is known, parsed otherwise. */
function consumeLine(line: string, { window, counts, pending }: Passage): void {
  const isScanned = scanUsageLine(line, scan)
  const record = isScanned ? null : readUsageRecord(line)
  if (!isScanned && record === null) {
    if (pending !== null) counts.malformed += 1
    return
  }
  const isNew = window.add(record === null ? scan.id : record.id)
  if (pending === null) return
  if (!isNew) counts.duplicates += 1
  else if (record !== null) {
    counts.records += 1
    pending.add(record)
  } else if (pending.addKnown(scan)) counts.records += 1
  else consumeNewSeries(line, counts, pending)
}

function consumeNewSeries(line: string, counts: Passage['counts'], pending: RollupAccumulator): void {
  const record = readUsageRecord(line)
  if (record === null) counts.malformed += 1
  else {
    counts.records += 1
    pending.addNew(scan, record)
  }
}

async function consume(payload: Buffer, passage: Passage): Promise<void> {
  const slice = createTimeSlice()
  // The text is a copy: the payload's buffer may be reused while this rests.
  const text = payload.toString('utf8')
  let untilLook = recordsPerLook
  let start = 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    if (end > start) consumeLine(text.slice(start, end), passage)
    start = end + 1
    untilLook -= 1
    if (untilLook > 0) continue
    untilLook = recordsPerLook
    if (slice.isOver()) await slice.rest()
  }
}

/** The state as stored, with the window of seen ids rebuilt from the log. */
async function load(options: UsageIndexerOptions): Promise<State> {
  const stored = await options.store.readCursor(options.cursorName ?? defaultCursorName)
  const place = readPlace(stored)
  const start = place?.window ?? null
  const window = createIdWindow(start, options.windowSize ?? generationSize)
  const state = { stored, at: place?.at ?? null, window, pending: createRollupAccumulator() }
  if (place === null || start === place.at) return state
  const counts = { records: 0, duplicates: 0, malformed: 0 }
  let before = start
  for await (const frame of options.log.read(start, place.at)) {
    window.beginFrame(before)
    await consume(frame.payload, { window, counts, pending: null })
    before = frame.cursor
  }
  return state
}

async function flush(options: UsageIndexerOptions, state: State): Promise<void> {
  if (state.at === null) return
  const cursor = `${state.at} ${state.window.start() ?? '-'}`
  if (cursor === state.stored) return
  await options.store.apply({
    cursorName: options.cursorName ?? defaultCursorName,
    expected: state.stored,
    cursor,
    rollups: state.pending.take(),
  })
  state.stored = cursor
}

/** Removes sums past their retention; does something once an hour at most. */
function createPruner(options: UsageIndexerOptions): () => Promise<void> {
  const { store, clock = systemClock, retention = () => defaultUsageRetention } = options
  let prunedAt = 0
  return async () => {
    const now = clock.now()
    if (now - prunedAt < hourMs) return
    prunedAt = now
    await pruneUsage(store, retention(), now)
  }
}

/** Up to where sums are stored, and since when. */
function createStoredMark(log: EventLog, clock: Clock) {
  let at: EventCursor | null = null
  let movedAt = clock.monotonic()
  return {
    moveTo(place: EventCursor | null): void {
      at = place
      movedAt = clock.monotonic()
    },
    position: () => at,
    lagMs: () => (log.end() === at ? 0 : clock.monotonic() - movedAt),
  }
}

export function createUsageIndexer(options: UsageIndexerOptions): UsageIndexer {
  const { log, flushMs = 1000, maxPending = defaultMaxPending, clock = systemClock } = options
  const counts = { records: 0, duplicates: 0, malformed: 0 }
  const prune = createPruner(options)
  let state: State | null = null
  const { moveTo, ...place } = createStoredMark(log, clock)
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | null = null
  let unsubscribe: (() => void) | null = null

  async function pass(): Promise<void> {
    const current = state ?? (await load(options))
    state = current
    try {
      for await (const frame of log.read(current.at)) {
        current.window.beginFrame(current.at)
        await consume(frame.payload, { window: current.window, counts, pending: current.pending })
        current.at = frame.cursor
        if (current.pending.size >= maxPending) await flush(options, current)
      }
      await flush(options, current)
      moveTo(current.at)
    } catch (error) {
      // What was summed but not stored is forgotten and read again from what is stored.
      state = null
      throw error
    }
  }

  /** One pass at a time. */
  function catchUp(): Promise<void> {
    const next = running.then(pass)
    running = next.catch(() => undefined)
    return next
  }

  async function runScheduled(): Promise<void> {
    let isDone = false
    try {
      await catchUp()
      isDone = log.end() === place.position()
      await prune()
    } catch (error) {
      options.onFailure?.(error)
    }
    timer = null
    if (!isDone) schedule()
  }

  function schedule(): void {
    if (timer === null && unsubscribe !== null) timer = setTimeout(() => void runScheduled(), flushMs)
  }

  return {
    catchUp,
    start() {
      unsubscribe ??= log.subscribe(schedule)
      schedule()
    },
    async stop() {
      unsubscribe?.()
      unsubscribe = null
      if (timer !== null) clearTimeout(timer)
      timer = null
      await running
    },
    counts: () => ({ ...counts }),
    ...place,
  }
}
