import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { startPostgres } from '../../../test/fixtures/postgres/postgres-server.ts'
import { month, testCentralCountersContract } from '../../ports/central-counters.contract.ts'
import type { CounterTerms } from '../../ports/central-counters.ts'
import { openPostgresDatabase } from '../postgres/open-postgres-store.ts'
import { openSqliteStore } from '../sqlite/open-sqlite-store.ts'
import { postgresTime } from './server-time.ts'
import { createSqlCounters } from './sql-central-counters.ts'

testCentralCountersContract('sqlite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-counters-'))
  // One process has one connection; several processes are tried in test/journeys.
  const storage = await openSqliteStore({ path: join(directory, 'gatewright.db') })
  return {
    ttlMs: 300,
    open: async (node) => storage.openCounters({ node, run: 'one', ttlMs: 300 }),
    async remove() {
      await storage.close()
      rmSync(directory, { recursive: true })
    },
  }
})

const server = await startPostgres()
const database = await openPostgresDatabase({
  url: await server.createDatabase(),
  tls: { mode: 'auto' },
  poolSize: 12,
  connectTimeoutMs: 2000,
  statementTimeoutMs: 5000,
})
after(async () => {
  await database.destroy()
  await server.stop()
})

testCentralCountersContract('postgres', async () => {
  await sql`truncate counters, counter_leases, counter_nodes`.execute(database)
  return {
    ttlMs: 300,
    // Each call takes a connection of the pool, whichever node it is for.
    open: async (node) =>
      createSqlCounters(database, {
        node,
        run: 'one',
        ttlMs: 300,
        presenceMs: 300,
        serverTime: postgresTime,
      }),
    remove: () => Promise.resolve(),
  }
})

function withFile(body: (path: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewright-counters-'))
    try {
      await body(join(directory, 'gatewright.db'))
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
}

const own = { node: 'a', ttlMs: 3_600_000 }

test(
  'budgets outlive the process; what it had leased counts as spent when it starts again',
  withFile(async (path) => {
    const money = { key: '{t}m', terms: month(100) }
    const before = await openSqliteStore({ path })
    const counters = before.openCounters({ ...own, run: 'one' })
    await counters.take([{ ...money, units: 10 }])
    await counters.lease([{ ...money, wanted: 5, least: 1 }])
    await counters.settle([{ ...money, spent: 1, returned: 1 }])
    await before.close()
    const after = await openSqliteStore({ path })
    const again = after.openCounters({ ...own, run: 'two' })
    await again.settle([{ ...money, spent: 0, returned: 3 }])
    assert.equal((await again.read([money]))[0]?.remaining, 86)
    await after.close()
  }),
)

test(
  'old periods and counters that are full again are removed; others stay',
  withFile(async (path) => {
    const fast: CounterTerms = { kind: 'rolling', amount: 1000, windowMs: 1000, burst: 5 }
    const storage = await openSqliteStore({ path })
    const counters = storage.openCounters({ ...own, run: 'one', ttlMs: 1, pruneEveryMs: 0 })
    const longAgo = month(5, Date.now() - 60 * 86_400_000)
    for (const [key, terms] of [
      ['old', longAgo],
      ['new', month(5)],
      ['full', fast],
    ] as const)
      await counters.take([{ key, terms, units: 2 }])
    await sleep(10)
    await counters.renew()
    const file = new DatabaseSync(path)
    const keys = file.prepare('select key from counters').all()
    assert.deepEqual(
      keys.map((row) => String(row['key']).split('@')[0]),
      ['new'],
    )
    file.close()
    await storage.close()
  }),
)
