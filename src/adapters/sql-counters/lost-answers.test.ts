/** What the database did counts once, also when its answer is lost. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { month } from '../../ports/central-counters.contract.ts'
import type { CentralCounters } from '../../ports/central-counters.ts'
import type { Database } from '../sql-store/database.ts'
import { openSqliteDatabase, openSqliteStore } from '../sqlite/open-sqlite-store.ts'
import { sqliteTime } from './server-time.ts'
import { createSqlCounters } from './sql-central-counters.ts'

interface Line {
  /** The next change is stored, and its answer lost. */
  losesNext: boolean
}

/** The database behind a line that may break after a commit. */
function behind(db: Database, line: Line): Database {
  return new Proxy(db, {
    get(target, name) {
      if (name !== 'transaction') {
        const own: unknown = Reflect.get(target, name, target)
        return typeof own === 'function' ? (own.bind(target) as unknown) : own
      }
      return () => ({
        async execute(change: Parameters<ReturnType<Database['transaction']>['execute']>[0]) {
          const answer = await target.transaction().execute(change)
          if (!line.losesNext) return answer
          line.losesNext = false
          throw new Error('connection lost')
        },
      })
    },
  })
}

const money = { key: '{t}m', terms: month(1000) }

async function withCounters(body: (counters: CentralCounters, line: Line) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-counters-'))
  const path = join(directory, 'gatewright.db')
  await (await openSqliteStore({ path })).close()
  const db = await openSqliteDatabase({ path })
  const line = { losesNext: false }
  const options = { node: 'a', run: 'one', ttlMs: 3_600_000, presenceMs: 10_000, serverTime: sqliteTime }
  const counters = createSqlCounters(behind(db, line), options)
  await counters.renew()
  await body(counters, line)
  await db.destroy()
  rmSync(directory, { recursive: true })
}

const lease = (counters: CentralCounters, wanted: number) => counters.lease([{ ...money, wanted, least: 1 }])
const remaining = async (counters: CentralCounters) => (await counters.read([money]))[0]?.remaining

test('a lease that nobody heard of goes back with the next call on its counter', () =>
  withCounters(async (counters, line) => {
    await lease(counters, 50)
    line.losesNext = true
    await assert.rejects(lease(counters, 30))
    assert.equal(await remaining(counters), 920, 'it was granted')
    await lease(counters, 10)
    assert.equal(await remaining(counters), 940)
    await counters.settle([{ ...money, spent: 60, returned: 0 }], 'all')
    await counters.forget()
    assert.equal(await remaining(counters), 940)
  }))

test('what others lease at the same time does not go back', () =>
  withCounters(async (counters, line) => {
    await lease(counters, 50)
    line.losesNext = true
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => lease(counters, 10)))
    assert.equal(answers.filter(({ status }) => status === 'rejected').length, 1)
    await lease(counters, 10)
    // 50 + 7 × 10 + 10 are held by somebody; the lost 10 are back.
    assert.equal(await remaining(counters), 870)
  }))

test('a report whose answer was lost, and that comes again, counts once; so does what is leased meanwhile', () =>
  withCounters(async (counters, line) => {
    await lease(counters, 50)
    const report = [{ ...money, spent: 20, returned: 5 }]
    line.losesNext = true
    await assert.rejects(counters.settle(report, 'r1'))
    await lease(counters, 10)
    await counters.settle(report, 'r1')
    assert.equal(await remaining(counters), 945)
    line.losesNext = true
    await assert.rejects(lease(counters, 100))
    await lease(counters, 1)
    assert.equal(await remaining(counters), 944)
  }))
