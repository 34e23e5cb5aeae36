import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { openEventLog } from '../adapters/event-log/open-event-log.ts'
import { openSqliteStore, type SqliteStorage } from '../adapters/sqlite/open-sqlite-store.ts'
import type { UsageRecord } from '../domain/usage.ts'
import { systemClock } from '../kernel/clock.ts'
import { appendDurably } from '../ports/event-log.contract.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { UsageStore, UsageSums } from '../ports/usage-store.ts'
import { sampleLines, sampleRecord, sampleTime } from './sample-record.ts'
import { createUsageIndexer } from './usage-indexer.ts'

const root = mkdtempSync(join(tmpdir(), 'gatewright-usage-'))
after(() => rmSync(root, { recursive: true }))
let count = 0
function newName(): string {
  count += 1
  return join(root, String(count))
}

async function withParts(
  body: (parts: { log: EventLog; storage: SqliteStorage }) => Promise<void>,
): Promise<void> {
  const log = await openEventLog({ directory: newName(), groupMs: 1 })
  const storage = await openSqliteStore({ path: ':memory:' })
  try {
    await body({ log, storage })
  } finally {
    await log.close()
    await storage.close()
  }
}

async function totals(store: UsageStore): Promise<UsageSums | undefined> {
  const { rows } = await store.query({
    organizationId: null,
    from: 0,
    to: sampleTime * 2,
    groupBy: [],
    filter: {},
    intervalMs: null,
    resolution: 'auto',
    limit: 10,
  })
  return rows[0]?.sums
}

const numbered = (from: number, to: number): UsageRecord[] =>
  Array.from({ length: to - from }, (_, index) => sampleRecord(from + index))

test('every record is summed by its figures', async () => {
  await withParts(async ({ log, storage }) => {
    const records = [
      sampleRecord(1),
      sampleRecord(2, { costMicroUsd: null, estimated: true, outcome: 'disconnected', durationMs: 40.5 }),
      sampleRecord(3, { status: 502, outcome: 'failed', outputTokens: 0, durationMs: 99_999 }),
    ]
    await appendDurably(log, sampleLines(records))
    const indexer = createUsageIndexer({ log, store: storage.usage })
    await indexer.catchUp()
    assert.deepEqual(await totals(storage.usage), {
      requests: 3,
      errors: 2,
      inputTokens: 3600,
      outputTokens: 600,
      cachedInputTokens: 300,
      cacheWriteTokens: 0,
      reasoningTokens: 60,
      estimated: 1,
      unpriced: 1,
      costMicroUsd: 9000,
      durationMs: 100_852,
    })
    assert.equal(indexer.position(), log.end())
  })
})

test('a batch that is delivered again counts once, also after a restart', async () => {
  await withParts(async ({ log, storage }) => {
    const batch = sampleLines(numbered(0, 100))
    await appendDurably(log, batch)
    await appendDurably(log, batch)
    const first = createUsageIndexer({ log, store: storage.usage })
    await first.catchUp()
    assert.deepEqual(first.counts(), { records: 100, duplicates: 100, malformed: 0 })
    await appendDurably(log, batch)
    const second = createUsageIndexer({ log, store: storage.usage })
    await second.catchUp()
    assert.deepEqual(second.counts(), { records: 0, duplicates: 100, malformed: 0 })
    assert.equal((await totals(storage.usage))?.requests, 100)
  })
})

test('lines that are no records are counted and skipped', async () => {
  await withParts(async ({ log, storage }) => {
    const junk = ['', '{', 'null', '[]', '{"id":1}', JSON.stringify({ ...sampleRecord(9), inputTokens: '9' })]
    const negative = JSON.stringify({ ...sampleRecord(9), inputTokens: -1 })
    await appendDurably(log, [...junk, negative, JSON.stringify(sampleRecord(1))].join('\n'))
    const indexer = createUsageIndexer({ log, store: storage.usage })
    await indexer.catchUp()
    assert.deepEqual(indexer.counts(), { records: 1, duplicates: 0, malformed: 6 })
  })
})

test('however often storing fails, before or after its commit, each record counts exactly once', async () => {
  const failure = fc.constantFrom('none', 'before', 'after')
  const plan = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), failure, fc.boolean()), {
    minLength: 1,
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(plan, async (steps) => {
      await withParts(async ({ log, storage }) => {
        let next: (typeof steps)[number][1] = 'none'
        const store: UsageStore = {
          ...storage.usage,
          async apply(batch) {
            if (next === 'before') throw new Error('before')
            await storage.usage.apply(batch)
            if (next === 'after') throw new Error('after')
          },
        }
        const create = () => createUsageIndexer({ log, store, windowSize: 40 })
        let indexer = create()
        let sent = 0
        for (const [size, fails, restarts] of steps) {
          // Each batch repeats a part of the one before, as a worker does that was not answered.
          await appendDurably(log, sampleLines(numbered(Math.max(0, sent - 5), sent + size)))
          sent += size
          next = fails
          await indexer.catchUp().catch(() => undefined)
          if (restarts) indexer = create()
        }
        next = 'none'
        await indexer.catchUp()
        assert.equal((await totals(storage.usage))?.requests, sent)
      })
    }),
    { numRuns: 25 },
  )
})

test('once started, it stores what is appended without being asked, until it is stopped', async () => {
  await withParts(async ({ log, storage }) => {
    const clock = { ...systemClock, now: () => sampleTime }
    const indexer = createUsageIndexer({ log, store: storage.usage, flushMs: 5, clock })
    indexer.start()
    await appendDurably(log, sampleLines([sampleRecord(1)]))
    for (let tries = 0; tries < 200 && indexer.position() !== log.end(); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.equal((await totals(storage.usage))?.requests, 1)
    await indexer.stop()
    await appendDurably(log, sampleLines([sampleRecord(2)]))
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal((await totals(storage.usage))?.requests, 1)
  })
})

test('it tells for how long what is on disk has not been summed', async () => {
  await withParts(async ({ log, storage }) => {
    let now = 0
    const clock = { now: () => sampleTime, monotonic: () => now }
    const indexer = createUsageIndexer({ log, store: storage.usage, clock })
    await appendDurably(log, sampleLines([sampleRecord(1)]))
    now = 3000
    assert.equal(indexer.lagMs(), 3000)
    await indexer.catchUp()
    now = 9000
    assert.equal(indexer.lagMs(), 0)
    await appendDurably(log, sampleLines([sampleRecord(2)]))
    assert.equal(indexer.lagMs(), 6000)
  })
})

test('sums past their retention are removed as it goes, the others stay', async () => {
  await withParts(async ({ log, storage }) => {
    const old = sampleRecord(1, { time: sampleTime - 100_000_000 })
    await appendDurably(log, sampleLines([old, sampleRecord(2)]))
    const clock = { ...systemClock, now: () => sampleTime }
    const kept = { minute: 50_000_000, hour: 50_000_000, day: 50_000_000 }
    const terms = { log, store: storage.usage, flushMs: 1, clock, retention: () => kept }
    const indexer = createUsageIndexer(terms)
    indexer.start()
    for (let tries = 0; tries < 400 && (await totals(storage.usage))?.requests !== 1; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await indexer.stop()
    assert.equal((await totals(storage.usage))?.requests, 1)
  })
})

test('the control thread is never held for long while a backlog is worked off', async () => {
  await withParts(async ({ log, storage }) => {
    for (let batch = 0; batch < 20; batch += 1) {
      await appendDurably(log, sampleLines(numbered(batch * 2000, batch * 2000 + 2000)))
    }
    const delays: number[] = []
    let last = performance.now()
    const probe = setInterval(() => {
      delays.push(performance.now() - last)
      last = performance.now()
    }, 1)
    await createUsageIndexer({ log, store: storage.usage }).catchUp()
    clearInterval(probe)
    delays.sort((left, right) => left - right)
    // A generous bound: the machine that runs the test is shared. Unsliced, one batch alone takes longer.
    assert.ok((delays[Math.floor(delays.length * 0.9)] ?? 0) < 50)
    assert.equal((await totals(storage.usage))?.requests, 40_000)
  })
})
