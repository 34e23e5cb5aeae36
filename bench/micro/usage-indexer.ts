/**
 * Cost of metering on the control thread: appending batches to the event log and indexing them. Prints
 * microseconds of CPU per record; the target is 4 in all (9,000 records a second leave room for nothing else).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEventLog } from '../../src/adapters/event-log/open-event-log.ts'
import { openSqliteStore } from '../../src/adapters/sqlite/open-sqlite-store.ts'
import { sampleLines, sampleRecord } from '../../src/usage/sample-record.ts'
import { createUsageIndexer } from '../../src/usage/usage-indexer.ts'

const batches = 1000
const perBatch = 90
const keys = 50
const targetUs = 4

const directory = mkdtempSync(join(tmpdir(), 'gatewright-bench-'))
const log = await openEventLog({ directory: join(directory, 'events') })
const storage = await openSqliteStore({ path: join(directory, 'usage.db') })
const indexer = createUsageIndexer({ log, store: storage.usage })

function createBatch(batch: number): Buffer {
  const records = Array.from({ length: perBatch }, (_, index) => {
    const number = batch * perBatch + index
    return sampleRecord(number, { keyId: `key${String(number % keys).padStart(9, '0')}` })
  })
  return sampleLines(records)
}

async function measure(round: number): Promise<void> {
  const payloads = Array.from({ length: batches }, (_, index) => createBatch(round * batches + index))
  const before = process.threadCpuUsage()
  await Promise.all(
    payloads.map((payload) => new Promise<void>((resolve) => log.append(payload, () => resolve()))),
  )
  const between = process.threadCpuUsage(before)
  await indexer.catchUp()
  const all = process.threadCpuUsage(before)
  const records = batches * perBatch
  const appended = (between.user + between.system) / records
  const total = (all.user + all.system) / records
  process.stdout.write(
    `append ${appended.toFixed(2)} µs + index ${(total - appended).toFixed(2)} µs = ${total.toFixed(2)} µs a record  target ${targetUs} µs  ${total <= targetUs ? 'ok' : 'SLOW'}\n`,
  )
}

for (let round = 0; round < 4; round += 1) await measure(round)
await log.close()
await storage.close()
rmSync(directory, { recursive: true })
