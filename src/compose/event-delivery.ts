/**
 * Events of this node: the spool, what workers tell of unknown callers, and the sinks of the configuration in force.
 */
import { join } from 'node:path'
import type { DataDirectory } from '../adapters/data-directory/data-directory.ts'
import { openEventLog } from '../adapters/event-log/open-event-log.ts'
import type { Config, SinkConfig } from '../config/index.ts'
import {
  Delivery,
  type EventLane,
  EventSpool,
  gapEvent,
  openCursorBook,
  type SinkPlan,
  type SinkSummary,
  type SinkTools,
} from '../delivery/index.ts'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { eventOfRefusal } from '../events/index.ts'
import type { RefusalBatch } from '../gateway/index.ts'
import { systemClock } from '../kernel/clock.ts'
import type { UsageStore } from '../ports/usage-store.ts'
import { openSink, sinkTypeOf } from './sink-types.ts'
import type { ControlToWorker } from './worker-channel.ts'

export interface EventDeliveryOptions {
  readonly directory: DataDirectory
  /** The configuration in force. */
  readonly config: () => Config
  readonly exchanges: EventLane
  readonly usage: UsageStore
  /** Tells the nodes of a shared store apart. */
  readonly cursorPrefix: string
  readonly tools: Omit<SinkTools, 'name' | 'timeoutMs'>
  readonly log: (text: string) => void
  /** The spool takes nothing until it is opened again; called once. */
  readonly onBroken: () => void
}

export interface ExportFigures {
  readonly sinks: readonly SinkSummary[]
  readonly spoolBytes: number
}

export interface EventDelivery {
  readonly spool: EventSpool
  readonly delivery: Delivery
  /** Store what a worker counted; it is told by `answer` when it is on disk, or that it could not be stored. */
  addRefusals(batch: RefusalBatch, answer: (message: ControlToWorker) => void): void
  /** Bring the sinks to the configuration in force. */
  configure(): Promise<void>
  figures(): ExportFigures
  close(): Promise<void>
}

const spoolSegmentBytes = 8 * 1024 * 1024
const letterSegmentBytes = 8 * 1024 * 1024
/** Dead letters of a sink: 64 MiB at most. */
const letterSegments = 8

export async function openEventDelivery(options: EventDeliveryOptions): Promise<EventDelivery> {
  const { directory, config, exchanges, usage, cursorPrefix, log, onBroken } = options
  const { eventDirectory } = directory
  const eventLog = await openEventLog({
    directory: eventDirectory,
    segmentBytes: spoolSegmentBytes,
    // What every sink has goes at once.
    maxSegments: 1,
    onDamage: () => log('The spool of events had a torn end; it was cut off.'),
  })
  const spool = await EventSpool.open({
    log: eventLog,
    maxBytes: () => config().events.spoolBytes,
    isWanted: () => config().sinks.length > 0,
  })
  const delivery = new Delivery({
    spool,
    exchanges,
    cursors: openCursorBook(usage, cursorPrefix),
    openLetters: (sink) =>
      openEventLog({
        directory: join(eventDirectory, 'dead-letters', sink),
        segmentBytes: letterSegmentBytes,
        maxSegments: letterSegments,
      }),
    clock: systemClock,
    random: Math.random,
    log,
  })
  let isBroken = false
  return {
    spool,
    delivery,
    addRefusals(batch, answer) {
      const { sequence } = batch
      void spool.append(eventsOfBatch(batch), 'outside').then((fault) => {
        answer({ type: fault === null ? 'refusals-stored' : 'refusals-refused', sequence })
        if (!eventLog.isBroken || isBroken) return
        isBroken = true
        log('The spool of events must be opened again: the control plane starts anew.')
        onBroken()
      })
    },
    configure: () => delivery.configure(config().sinks.map((sink) => planOf(sink, options))),
    figures: () => ({ sinks: delivery.figures(), spoolBytes: spool.bytes }),
    async close() {
      await delivery.close()
      await eventLog.close()
    },
  }
}

/** What a worker counted, as events: refusals of unknown callers, and the gap that records leave which it gave up. */
export function eventsOfBatch({ refusals, dropped }: RefusalBatch): readonly OversightEvent[] {
  const events = refusals.map(eventOfRefusal)
  if (dropped === null) return events
  const { id: mark, count, time } = dropped
  return [...events, gapEvent({ resource: { kind: 'usage-log', id: 'usage' }, mark, count, time })]
}

function planOf(sink: SinkConfig, { tools }: EventDeliveryOptions): SinkPlan {
  const { name, streams, minSeverity, concurrency, timeoutMs } = sink
  const batch = { events: sink.batchEvents, bytes: sink.batchBytes, waitMs: sink.batchMs }
  const terms = { name, type: sinkTypeOf(sink), streams, minSeverity, batch, concurrency, timeoutMs }
  return { terms, settings: sink, open: () => openSink(sink, { ...tools, name, timeoutMs }) }
}
