// Run by the test runner it is a test; run with a log and a database as arguments it is the program under test.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openEventLog } from '../adapters/event-log/open-event-log.ts'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import type { UsageRecord } from '../domain/usage.ts'
import { appendDurably } from '../ports/event-log.contract.ts'
import { type UsageStore, usageResolutions } from '../ports/usage-store.ts'
import { usageSummary } from './query-usage.ts'
import { sampleLines, sampleRecord, sampleTime } from './sample-record.ts'
import { createUsageIndexer } from './usage-indexer.ts'

const numbered = (from: number, to: number): UsageRecord[] =>
  Array.from({ length: to - from }, (_, index) => sampleRecord(from + index))

/** Indexes the log frame by frame and prints when it is done. */
async function indexSlowly(directory: string, path: string): Promise<void> {
  const log = await openEventLog({ directory })
  const { usage, close } = await openSqliteStore({ path })
  process.stdout.write('open\n')
  // Slow on purpose: gives the kill many places to strike, before, within and after the transaction.
  const store: UsageStore = {
    ...usage,
    async apply(batch) {
      await usage.apply(batch)
      await new Promise((resolve) => setTimeout(resolve, 2))
    },
  }
  await createUsageIndexer({ log, store, windowSize: 50, maxPending: 1 }).catchUp()
  process.stdout.write('done\n')
  await log.close()
  await close()
}

const program = fileURLToPath(import.meta.url)

/** True when the program came to its end before the kill. */
function indexAndKill(directory: string, path: string, afterMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, directory, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
      output += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', () => resolve(output.includes('done')))
  })
}

async function killRepeatedly(root: string): Promise<void> {
  const [directory, path] = [join(root, 'events'), join(root, 'usage.db')]
  const log = await openEventLog({ directory, groupMs: 1, segmentBytes: 100_000 })
  for (let batch = 0; batch < 60; batch += 1) {
    await appendDurably(log, sampleLines(numbered(Math.max(0, batch * 20 - 10), batch * 20 + 20)))
  }
  await log.close()
  let isDone = false
  let kills = 0
  while (!isDone && kills < 40) {
    isDone = await indexAndKill(directory, path, 40 + kills * 50)
    if (!isDone) kills += 1
  }
  assert.ok(isDone && kills > 0)
  const { usage, close } = await openSqliteStore({ path })
  const all = { organizationId: null, from: 0, to: sampleTime * 2 }
  for (const resolution of usageResolutions) {
    const { rows } = await usageSummary(usage, { ...all, resolution })
    assert.equal(rows[0]?.sums.requests, 60 * 20, resolution)
  }
  await close()
}

const [, , directory, path] = process.argv
if (directory !== undefined && path !== undefined) await indexSlowly(directory, path)
else {
  test('kill -9 at any moment of indexing loses and doubles nothing', async () => {
    const root = mkdtempSync(join(tmpdir(), 'gatewright-usage-kill-'))
    try {
      await killRepeatedly(root)
    } finally {
      rmSync(root, { recursive: true })
    }
  })
}
