/**
 * Events a second on one thread: to the spool (written and synced), to the usage log as exchanges, and from there to a
 * sink that takes everything at once. Run: node bench/micro/event-delivery.ts [events]
 * Exits 1 where the spool takes fewer than 50,000 a second.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEventLog } from '../../src/adapters/event-log/open-event-log.ts'
import { openSqliteStore } from '../../src/adapters/sqlite/open-sqlite-store.ts'
import { createExchangeLane } from '../../src/compose/exchange-lane.ts'
import { Delivery, EventSpool, openCursorBook, type SinkPlan } from '../../src/delivery/index.ts'
import { eventsOfRecord } from '../../src/events/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { sampleLines, sampleRecord } from '../../src/usage/sample-record.ts'

const target = 50_000
const events = Number(process.argv[2] ?? 200_000)
const perBatch = 50
const rounds = 3

const directory = mkdtempSync(join(tmpdir(), 'gatewright-bench-'))
const usageLog = await openEventLog({ directory: join(directory, 'usage') })
const eventLog = await openEventLog({ directory: join(directory, 'events') })
const storage = await openSqliteStore({ path: join(directory, 'gatewright.db') })
const spool = await EventSpool.open({ log: eventLog, maxBytes: () => 2 ** 40, isWanted: () => true })
let arrived = 0
const plan: SinkPlan = {
  terms: {
    name: 'nowhere',
    type: 'none',
    streams: ['access'],
    minSeverity: 'info',
    batch: { events: 500, bytes: 1_048_576, waitMs: 100 },
    concurrency: 4,
    timeoutMs: 30_000,
  },
  settings: null,
  open: () => ({
    name: 'nowhere',
    deliver(batch) {
      arrived += batch.length
      return Promise.resolve({ retry: [], rejected: [], retryAfterMs: null, tooLarge: false, problem: '' })
    },
    close: () => Promise.resolve(),
  }),
}

const records = Array.from({ length: perBatch }, (_, at) => sampleRecord(at, { address: '192.0.2.7' }))
const eventBatch = records.flatMap(eventsOfRecord)
const lines = sampleLines(records)

interface Pace {
  readonly perSecond: number
  /** Of the thread's own time. */
  readonly microseconds: number
}

async function measure(work: () => Promise<unknown>): Promise<Pace> {
  const cpu = process.threadCpuUsage()
  const started = performance.now()
  await work()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.threadCpuUsage(cpu)
  return {
    perSecond: Math.round(events / seconds),
    microseconds: Math.round(((user + system) / events) * 100) / 100,
  }
}

/** So many batches, a few hundred under way, as workers and operations send them. */
async function appendAll(append: () => Promise<unknown>): Promise<void> {
  const atOnce = 200
  for (let batch = 0; batch < events / perBatch; batch += atOnce)
    await Promise.all(Array.from({ length: atOnce }, append))
}

// The first round warms up; the slowest of the others counts.
await measure(() => appendAll(() => spool.append(eventBatch)))
const spooled: Pace[] = []
for (let round = 1; round < rounds; round += 1)
  spooled.push(await measure(() => appendAll(() => spool.append(eventBatch))))
const openDelivery = (): Delivery =>
  new Delivery({
    spool,
    exchanges: createExchangeLane(usageLog),
    cursors: openCursorBook(storage.usage, 'usage/sinks'),
    openLetters: () => openEventLog({ directory: join(directory, 'dead-letters') }),
    clock: systemClock,
    random: Math.random,
    log: (text) => process.stderr.write(`${text}\n`),
  })
// A sink begins where it is named first: before what it is to get.
const first = openDelivery()
await first.configure([plan])
await first.close()
const logged = await measure(() => appendAll(() => new Promise((resolve) => usageLog.append(lines, resolve))))
const again = openDelivery()
const sunk = await measure(async () => {
  await again.configure([plan])
  while (arrived < events) await new Promise((resolve) => setTimeout(resolve, 5))
})
await again.close()
await eventLog.close()
await usageLog.close()
await storage.close()
rmSync(directory, { recursive: true })
const figures = {
  bench: 'event-delivery',
  spooledPerSecond: Math.min(...spooled.map(({ perSecond }) => perSecond)),
  spooledMicroseconds: Math.max(...spooled.map(({ microseconds }) => microseconds)),
  loggedPerSecond: logged.perSecond,
  loggedMicroseconds: logged.microseconds,
  deliveredPerSecond: sunk.perSecond,
  deliveredMicroseconds: sunk.microseconds,
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
process.exitCode = figures.spooledPerSecond >= target ? 0 : 1
