import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { usageResolutions } from '../../ports/usage-store.ts'
import { createSqliteDialect } from '../sqlite/sqlite-dialect.ts'
import type { Schema } from './database.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations.ts'
import { createSqlUsageStore } from './sql-usage-store.ts'
import { usageSumColumns } from './usage-columns.ts'

const midnight = 1_700_006_400_000

test('minutes of an earlier release are summed by hour and day once, and are of no product', async () => {
  const db = new Kysely<Schema>({ dialect: createSqliteDialect({ path: ':memory:' }) })
  const earlier = Object.entries(migrations).filter(([name]) => name < '0008')
  const provider = { getMigrations: () => Promise.resolve(Object.fromEntries(earlier)) }
  assert.equal((await new Migrator({ db, provider }).migrateToLatest()).error, undefined)
  const named = { organization_id: 'org_a', application_id: 'a', key_id: 'k', operation: 'o', model: 'm' }
  const served = { served_model: 's', provider_id: 'p', deployment_id: 'd', status_class: 2 }
  await db
    .insertInto('usage_series')
    .values({ id: 'one', ...named, ...served })
    .execute()
  const sums = Object.fromEntries(usageSumColumns.map((column) => [column, 3]))
  const minutes = [0, 1, 59, 60, 1439, 1440, 14_400]
  for (const offset of minutes) {
    const row = { organization_id: 'org_a', minute: midnight + offset * 60_000, series_id: 'one' }
    await db
      .insertInto('usage_minutes')
      .values({ ...row, ...sums })
      .execute()
  }
  await migrate(db)
  const usage = createSqlUsageStore(db)
  const all = { organizationId: null, from: 0, to: midnight * 2, groupBy: [], filter: {}, limit: 100 }
  for (const resolution of usageResolutions) {
    const { rows } = await usage.query({ ...all, intervalMs: null, resolution })
    assert.equal(rows[0]?.sums.requests, 3 * minutes.length, resolution)
    assert.equal(rows[0]?.latency.at(-1), 3 * minutes.length, resolution)
  }
  const older = await usage.query({ ...all, groupBy: ['productId'], intervalMs: null, resolution: 'day' })
  assert.deepEqual(
    older.rows.map((row) => [row.group.productId, row.sums.requests]),
    [['', 3 * minutes.length]],
  )
  const days = await usage.query({ ...all, intervalMs: 86_400_000, resolution: 'day' })
  assert.deepEqual(
    days.rows.map((row) => [(row.time - midnight) / 86_400_000, row.sums.requests]),
    [
      [0, 15],
      [1, 3],
      [10, 3],
    ],
  )
  await db.destroy()
})
