/**
 * Usage records from the workers: appended to the event log, acknowledged once they are on disk, then summed into
 * minutes by the indexer at its own pace. A key's last use follows from the sums, to the minute.
 */
import type { MessagePort } from 'node:worker_threads'
import { openEventLog } from '../adapters/event-log/open-event-log.ts'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { eventsOfRecord, type LiveHub } from '../events/index.ts'
import type { Fault } from '../kernel/fault.ts'
import type { EventCursor, EventLog } from '../ports/event-log.ts'
import type { Store } from '../ports/store.ts'
import type { UsageRollup, UsageStore } from '../ports/usage-store.ts'
import {
  createUsageIndexer,
  readUsageRecord,
  splitLines,
  type UsageIndexer,
  type UsageIndexerCounts,
  type UsageRetention,
} from '../usage/index.ts'
import type { ControlToWorker } from './worker-channel.ts'

export interface UsageIntakeOptions {
  readonly directory: string
  readonly retentionDays: number
  /** How long sums are kept; asked for each time they are looked through. */
  readonly sumsKept: () => UsageRetention
  readonly log: (text: string) => void
  /** Is told what is on disk, while somebody watches. */
  readonly live: Pick<LiveHub, 'publish' | 'isWatched'>
  /** The event log takes nothing until it is opened again; called once. */
  readonly onBroken: () => void
}

export interface UsageSumsPlace {
  readonly usage: UsageStore
  /** Under which the place in this log is kept. */
  readonly cursorName: string
}

/** How far usage is summed. */
export interface UsageFigures extends UsageIndexerCounts {
  /** As `lagMs` of the indexer. */
  readonly lagMs: number
}
const nothingSummed: UsageFigures = Object.freeze({ records: 0, duplicates: 0, malformed: 0, lagMs: 0 })

export interface UsageIntake {
  readonly eventLog: EventLog
  /** Store records of a worker; it is told on `port` when they are on disk, or that they could not be stored. */
  add(batch: { readonly sequence: number; readonly lines: Uint8Array }, port: MessagePort): void
  /** Begin to sum. */
  index(store: Store, sums: UsageSumsPlace): void
  /** To be called before retention removes records, with where what goes ends. */
  onRemoval(listener: (end: EventCursor) => Promise<void>): void
  /** To be told of the exchanges on disk that were refused for who asked. */
  onDenied(listener: (events: readonly OversightEvent[]) => void): void
  figures(): UsageFigures
  close(): Promise<void>
}

const dayMs = 86_400_000
const pruneEveryMs = 3_600_000

export async function openUsageIntake(options: UsageIntakeOptions): Promise<UsageIntake> {
  const eventLog = await openEventLog({
    directory: options.directory,
    maxAgeMs: options.retentionDays * dayMs,
    onDamage: () => options.log('The usage log had a torn end; it was cut off.'),
  })
  let isReported = false
  const report = createStorageReport(options.log)
  let indexer: UsageIndexer | null = null
  let denied = (_events: readonly OversightEvent[]): void => {}
  let beforeRemoval = async (_end: EventCursor): Promise<void> => {}
  let stopIndexing = async (): Promise<void> => {}
  return {
    eventLog,
    add({ sequence, lines }, port) {
      eventLog.append(lines, (fault) => {
        // Refused: the worker keeps the batch, sends it again, and takes no new exchanges when it holds too much.
        const type = fault === null ? 'usage-stored' : 'usage-refused'
        const answer: ControlToWorker = { type, sequence }
        port.postMessage(answer)
        if (fault === null) tell(lines, options.live, denied)
        report(fault)
        if (eventLog.isBroken && !isReported) {
          isReported = true
          options.log('The usage log must be opened again: the control plane starts anew.')
          options.onBroken()
        }
      })
    },
    index(store, { usage, cursorName }) {
      const reportSumming = limitReports(options.log)
      const started = createUsageIndexer({
        log: eventLog,
        store: withLastUse(usage, store),
        cursorName,
        retention: options.sumsKept,
        onFailure: () => reportSumming('Usage could not be summed; it is tried again.'),
      })
      indexer = started
      started.start()
      const prune = setInterval(() => {
        const position = started.position()
        if (position !== null)
          eventLog.prune(position, beforeRemoval).catch(() => options.log('Old usage could not be removed.'))
      }, pruneEveryMs)
      prune.unref()
      stopIndexing = async () => {
        clearInterval(prune)
        await started.stop()
        await started.catchUp().catch(() => options.log('Usage is summed at the next start.'))
      }
    },
    onRemoval(listener) {
      beforeRemoval = listener
    },
    onDenied(listener) {
      denied = listener
    },
    figures: () => (indexer === null ? nothingSummed : { ...indexer.counts(), lagMs: indexer.lagMs() }),
    async close() {
      await stopIndexing()
      await eventLog.close()
    },
  }
}

const refusedField = `"outcome":"refused"`

/** Records are read only where somebody watches, or where one was refused. */
function tell(
  lines: Uint8Array,
  live: UsageIntakeOptions['live'],
  denied: (events: readonly OversightEvent[]) => void,
): void {
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength)
  const isWatched = live.isWatched()
  if (!isWatched && !bytes.includes(refusedField)) return
  for (const line of splitLines(bytes.toString('utf8'))) {
    if (!isWatched && !line.includes(refusedField)) continue
    const record = readUsageRecord(line)
    if (record === null) continue
    const events = eventsOfRecord(record)
    if (isWatched) for (const event of events) live.publish(event)
    denied(events)
  }
}

const reportEveryMs = 10_000

/** The same text comes once in ten seconds at most. */
function limitReports(log: (text: string) => void): (text: string) => void {
  let reportedAt: number | null = null
  return (text) => {
    const now = performance.now()
    if (reportedAt !== null && now - reportedAt < reportEveryMs) return
    reportedAt = now
    log(text)
  }
}

/** Tells the log of a failure at once, of its going on every ten seconds, and of its end. */
function createStorageReport(log: (text: string) => void): (fault: Fault | null) => void {
  let reportedAt: number | null = null
  return (fault) => {
    if (fault === null) {
      if (reportedAt !== null) log('Usage is stored again.')
      reportedAt = null
      return
    }
    const now = performance.now()
    if (reportedAt !== null && now - reportedAt < reportEveryMs) return
    reportedAt = now
    const code = (fault.cause as { readonly code?: unknown } | undefined)?.code
    const reason = typeof code === 'string' ? `${fault.internalText} (${code})` : fault.internalText
    log(`Usage cannot be stored: ${reason}. It is held in memory, within usage.heldBytes of each worker.`)
  }
}

/** The store of sums, telling the key table as it goes which keys were used when. */
function withLastUse(usage: UsageStore, store: Store): UsageStore {
  return {
    readCursor: (name) => usage.readCursor(name),
    query: (query) => usage.query(query),
    prune: (order) => usage.prune(order),
    async apply(batch) {
      await usage.apply(batch)
      await store.keys.recordUse(lastUses(batch.rollups))
    },
  }
}

function lastUses(rollups: readonly UsageRollup[]): { readonly keyId: string; readonly at: number }[] {
  const latest = new Map<string, number>()
  for (const { dimensions, minute } of rollups) {
    latest.set(dimensions.keyId, Math.max(minute, latest.get(dimensions.keyId) ?? 0))
  }
  return [...latest].map(([keyId, at]) => ({ keyId, at }))
}
