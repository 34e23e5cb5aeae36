import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openEventLog } from '../adapters/event-log/open-event-log.ts'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import { Fault } from '../kernel/fault.ts'
import { appendDurably } from '../ports/event-log.contract.ts'
import { exportUsage, type UsageExport } from './export-usage.ts'
import { pruneUsage } from './prune-usage.ts'
import { latencyQuantile, maxTopGroups, usageSeries, usageSummary } from './query-usage.ts'
import { readUsageRecord } from './read-usage-record.ts'
import { sampleLines, sampleRecord, sampleTime } from './sample-record.ts'
import { createUsageIndexer } from './usage-indexer.ts'

const directory = mkdtempSync(join(tmpdir(), 'gatewright-usage-query-'))
const log = await openEventLog({ directory, groupMs: 1 })
const storage = await openSqliteStore({ path: ':memory:' })
after(async () => {
  await log.close()
  await storage.close()
  rmSync(directory, { recursive: true })
})

const organizationId = sampleRecord(0).organizationId
const minute = 60_000
const odd = { model: '=HYPERLINK("x")', endUser: 'a,"b"\nc', tags: { note: '-1+2' } }
const records = [
  sampleRecord(1),
  sampleRecord(2, odd),
  sampleRecord(3, { time: sampleTime + 10 * minute, applicationId: 'app_other' }),
  sampleRecord(4, { organizationId: 'org_other', model: 'secret-model' }),
]
await appendDurably(log, sampleLines(records))
await appendDurably(log, sampleLines(records.slice(0, 2)))
await createUsageIndexer({ log, store: storage.usage }).catchUp()

const all = { organizationId, from: sampleTime - minute, to: sampleTime + 60 * minute }

test('a summary and a series give the sums of one organization', async () => {
  const summary = await usageSummary(storage.usage, { ...all, groupBy: ['applicationId'] })
  assert.deepEqual(
    summary.rows.map((row) => [row.group.applicationId, row.sums.requests]),
    [
      [records[0]?.applicationId, 2],
      ['app_other', 1],
    ],
  )
  const series = await usageSeries(storage.usage, { ...all, intervalMs: 5 * minute })
  assert.deepEqual(
    series.rows.map((row) => row.sums.requests),
    [2, 1],
  )
})

test('a time line of the top groups has those with most requests over the whole time, and no other', async () => {
  const question = { ...all, groupBy: ['applicationId'] as const, intervalMs: 5 * minute }
  const groups = async (top: number) =>
    (await usageSeries(storage.usage, { ...question, top })).rows.map(({ group, sums }) => [
      group.applicationId,
      sums.requests,
    ])
  assert.deepEqual(await groups(1), [[records[0]?.applicationId, 2]])
  assert.deepEqual(await groups(2), [
    [records[0]?.applicationId, 2],
    ['app_other', 1],
  ])
  const refused = (error: unknown) => error instanceof Fault && error.code === 'admin.validation'
  await assert.rejects(usageSeries(storage.usage, { ...question, groupBy: [], top: 1 }), refused)
  await assert.rejects(usageSeries(storage.usage, { ...question, top: maxTopGroups + 1 }), refused)
})

test('a line of an earlier release, which names no product, still counts', () => {
  const { productId: _, ...earlier } = sampleRecord(1)
  assert.deepEqual(readUsageRecord(JSON.stringify(earlier)), { ...earlier, productId: '' })
  assert.equal(readUsageRecord(JSON.stringify({ ...earlier, keyId: 1 })), null)
})

test('questions out of bounds are refused', async () => {
  const refused = (error: unknown) => error instanceof Fault && error.code === 'admin.validation'
  const bad = [
    { from: 5, to: 5 },
    { from: -1 },
    { from: 0.5 },
    { limit: 0 },
    { limit: 1e6 },
    { to: Number.NaN },
  ]
  for (const change of bad) await assert.rejects(usageSummary(storage.usage, { ...all, ...change }), refused)
  for (const intervalMs of [0, 1000, 61_000, -minute]) {
    await assert.rejects(usageSeries(storage.usage, { ...all, intervalMs }), refused)
  }
  await assert.rejects(usageSeries(storage.usage, { ...all, from: 0, intervalMs: minute }), refused)
})

async function exported(changes: Partial<UsageExport>): Promise<string> {
  let text = ''
  for await (const chunk of exportUsage(log, { ...all, format: 'jsonl', ...changes })) text += chunk
  return text
}

test('JSON lines give each record of the organization once, exactly as it was metered', async () => {
  const lines = (await exported({})).trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    records.slice(0, 3),
  )
  const within = await exported({ from: sampleTime + 5 * minute, applicationId: 'app_other' })
  assert.equal(within.trimEnd().split('\n').length, 1)
  assert.equal(await exported({ organizationId: 'org_none' }), '')
})

test('CSV keeps commas, quotes and lines in their cell and lets no cell start a formula', async () => {
  const text = await exported({ format: 'csv' })
  assert.match(text, /^id,time,organizationId,/)
  assert.ok(text.includes(`,"'=HYPERLINK(""x"")",`))
  assert.ok(text.includes(`,"a,""b""\nc",`))
  assert.ok(!text.includes('secret-model'))
  assert.equal(text.split('\r\n').length, 1 + 3 + 1)
})

test('CSV names the limit that refused an exchange, and those that would have', async () => {
  const own = { organizationId: 'org_limits', refusedBy: 'per-user', limitsPassed: ['trial', 'burst'] }
  await appendDurably(
    log,
    sampleLines([sampleRecord(900, own), sampleRecord(901, { organizationId: 'org_limits' })]),
  )
  const [head = '', limited = '', free = ''] = (
    await exported({ format: 'csv', organizationId: 'org_limits' })
  ).split('\r\n')
  const { productId } = sampleRecord(1)
  assert.ok(head.endsWith(',refusedBy,limitsPassed,productId'))
  assert.ok(limited.endsWith(`,per-user,"[""trial"",""burst""]",${productId}`), limited)
  assert.ok(free.endsWith(`,,,${productId}`), free)
})

test('an export goes at the pace of its reader, in chunks of bounded size', async () => {
  const many = Array.from({ length: 2000 }, (_, index) =>
    sampleRecord(1000 + index, { organizationId: 'org_big' }),
  )
  await appendDurably(log, sampleLines(many))
  let longest = 0
  let total = 0
  for await (const chunk of exportUsage(log, { ...all, organizationId: 'org_big', format: 'jsonl' })) {
    longest = Math.max(longest, chunk.length)
    total += chunk.split('\n').length - 1
  }
  assert.equal(total, 2000)
  assert.ok(longest < 70_000)
})

test('a quantile is the bound of the bucket in which it falls', () => {
  const latency = [0, 90, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1]
  assert.equal(latencyQuantile(latency, 0.5), 50)
  assert.equal(latencyQuantile(latency, 0.95), 250)
  assert.equal(latencyQuantile(latency, 1), Number.POSITIVE_INFINITY)
  assert.equal(latencyQuantile([], 0.5), null)
})

test('each resolution goes after its own time, on a clock that moves on', async () => {
  const day = 86_400_000
  const kept = { minute: 2 * day, hour: 4 * day, day: 6 * day }
  const left = async () => {
    const counts: (number | undefined)[] = []
    for (const resolution of ['minute', 'hour', 'day'] as const) {
      const { rows } = await usageSummary(storage.usage, { ...all, resolution })
      counts.push(rows[0]?.sums.requests)
    }
    return counts
  }
  const after = async (days: number) => {
    await pruneUsage(storage.usage, kept, sampleTime + days * day)
    return left()
  }
  assert.deepEqual(await after(1), [3, 3, 3])
  assert.deepEqual(await after(3), [undefined, 3, 3])
  assert.deepEqual(await after(5), [undefined, undefined, 3])
  assert.deepEqual(await after(7), [undefined, undefined, undefined])
})

test('where callers are is on record for sinks, and in no export', async () => {
  const address = '192.0.2.77'
  await appendDurably(log, sampleLines([sampleRecord(9, { address, time: sampleTime + 30 * minute })]))
  for (const format of ['csv', 'jsonl'] as const) {
    let text = ''
    for await (const chunk of exportUsage(log, { ...all, format })) text += chunk
    assert.ok(text.includes(sampleRecord(9).id))
    assert.ok(!text.includes(address))
  }
})
