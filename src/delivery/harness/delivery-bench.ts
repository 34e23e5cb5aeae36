/** Spool, sinks and cursors on real logs and a real database, for tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEventLog } from '../../adapters/event-log/open-event-log.ts'
import { openSqliteStore } from '../../adapters/sqlite/open-sqlite-store.ts'
import { createExchangeLane } from '../../compose/exchange-lane.ts'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import { systemClock } from '../../kernel/clock.ts'
import type { Fault } from '../../kernel/fault.ts'
import type { EventLog } from '../../ports/event-log.ts'
import type { DeliveryOutcome, EventSink } from '../../ports/event-sink.ts'
import { openCursorBook } from '../cursor-book.ts'
import { Delivery, type SinkPlan } from '../delivery.ts'
import { EventSpool } from '../event-spool.ts'

export const allTaken: DeliveryOutcome = {
  retry: [],
  rejected: [],
  retryAfterMs: null,
  tooLarge: false,
  problem: '',
}

/** A receiver that remembers what arrived, and answers as it is told. */
export function createTestSink(
  answer: (batch: readonly OversightEvent[]) => DeliveryOutcome | Promise<DeliveryOutcome> = () => allTaken,
) {
  const arrived: OversightEvent[] = []
  const calls: number[] = []
  const sink: EventSink = {
    name: 'test',
    async deliver(batch) {
      calls.push(batch.length)
      const outcome = await answer(batch)
      if (outcome.tooLarge) return outcome
      const missing = new Set([...outcome.retry, ...outcome.rejected.map(({ at }) => at)])
      arrived.push(...batch.filter((_, at) => !missing.has(at)))
      return outcome
    },
    close: () => Promise.resolve(),
  }
  return {
    sink,
    arrived,
    /** Sizes of the batches. */
    calls,
    ids: () => new Set(arrived.map(({ id }) => id)),
  }
}

export function planFor(sink: EventSink, own: Partial<SinkPlan['terms']> = {}): SinkPlan {
  return {
    terms: {
      name: 'test',
      type: 'test',
      streams: ['access', 'security', 'audit'],
      minSeverity: 'info',
      batch: { events: 50, bytes: 1_000_000, waitMs: 20 },
      concurrency: 4,
      timeoutMs: 2000,
      ...own,
    },
    settings: null,
    open: () => sink,
  }
}

export interface DeliveryBench {
  readonly delivery: Delivery
  readonly spool: EventSpool
  readonly usageLog: EventLog
  readonly logged: readonly string[]
  /** Append usage lines. */
  record(lines: readonly string[]): Promise<Fault | null>
  close(): Promise<void>
}

export interface BenchOptions {
  readonly spoolBytes?: number
  readonly usageSegmentBytes?: number
  readonly now?: () => number
}

/** Opened on a directory, which may be used again after `close`. */
export async function openBench(directory: string, options: BenchOptions = {}): Promise<DeliveryBench> {
  const storage = await openSqliteStore({ path: join(directory, 'gatewright.db') })
  const small = { segmentBytes: options.usageSegmentBytes ?? 64 * 1024 * 1024, maxSegments: 2, groupMs: 1 }
  const usageLog = await openEventLog({ directory: join(directory, 'usage'), ...small })
  const eventLog = await openEventLog({
    directory: join(directory, 'events'),
    segmentBytes: 4096,
    maxSegments: 1,
    groupMs: 1,
  })
  const spoolBytes = options.spoolBytes ?? 10_000_000
  const spool = await EventSpool.open({ log: eventLog, maxBytes: () => spoolBytes, isWanted: () => true })
  const logged: string[] = []
  const delivery = new Delivery({
    spool,
    exchanges: createExchangeLane(usageLog),
    cursors: openCursorBook(storage.usage, 'usage/sinks'),
    openLetters: (sink) => openEventLog({ directory: join(directory, 'dead', sink), groupMs: 1 }),
    clock: { ...systemClock, ...(options.now === undefined ? {} : { now: options.now }) },
    random: Math.random,
    log: (text) => logged.push(text),
    pruneEveryMs: 50,
    firstPauseMs: 5,
  })
  return {
    delivery,
    spool,
    usageLog,
    logged,
    record: (lines) =>
      new Promise((resolve) => usageLog.append(Buffer.from(`${lines.join('\n')}\n`), resolve)),
    async close() {
      await delivery.close()
      await eventLog.close()
      await usageLog.close()
      await storage.close()
    },
  }
}

/** A bench on a directory of its own, for one test. */
export function withBench(
  body: (bench: DeliveryBench, directory: string) => Promise<void>,
  options: BenchOptions = {},
): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewright-delivery-'))
    const bench = await openBench(directory, options)
    try {
      await body(bench, directory)
    } finally {
      await bench.close()
      rmSync(directory, { recursive: true })
    }
  }
}

/** Resolves when `condition` holds. @throws after `withinMs` */
export async function eventually(condition: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
