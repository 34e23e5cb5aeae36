/**
 * Sums by hour and day beside those by minute, made from the minutes that are there. A day of minutes per statement:
 * none runs for long, and years of them need no more memory than a day.
 */
import { type ColumnDefinitionBuilder, type CreateTableBuilder, sql } from 'kysely'
import { type UsageResolution, usageResolutionMs } from '../../ports/usage-store.ts'
import type { Database } from './database.ts'
import { usageSumColumns, usageTables } from './usage-columns.ts'

const notNull = (column: ColumnDefinitionBuilder) => column.notNull()

async function createSums(db: Database, resolution: UsageResolution): Promise<void> {
  const { table, time } = usageTables[resolution]
  let sums: CreateTableBuilder<string, string> = db.schema
    .createTable(table)
    .addColumn('organization_id', 'text', notNull)
    .addColumn(time, 'bigint', notNull)
    .addColumn('series_id', 'text', notNull)
  for (const column of usageSumColumns) sums = sums.addColumn(column, 'bigint', notNull)
  await sums
    .addPrimaryKeyConstraint(`${table}_once`, ['organization_id', time, 'series_id'])
    .addForeignKeyConstraint(`${table}_series`, ['series_id'], 'usage_series', ['id'])
    .execute()
  await db.schema.createIndex(`${table}_age`).on(table).column(time).execute()
  await db.schema.createIndex(`${table}_of_series`).on(table).column('series_id').execute()
}

/** Sums of one day of minutes, whose hours and days lie in no other day. */
async function sumDay(db: Database, resolution: UsageResolution, day: number): Promise<void> {
  const { table, time } = usageTables[resolution]
  const unit = sql.lit(usageResolutionMs[resolution])
  const start = sql<number>`minute - (minute % ${unit})`
  const columns = ['organization_id', time, 'series_id', ...usageSumColumns]
  await db
    .insertInto(table)
    .columns(columns)
    .expression((build) => {
      let rows = build
        .selectFrom('usage_minutes')
        .where('minute', '>=', day)
        .where('minute', '<', day + usageResolutionMs.day)
        .select(['organization_id', start.as(time), 'series_id'])
        .groupBy(['organization_id', 'series_id'])
        .groupBy(start)
      for (const column of usageSumColumns) rows = rows.select((each) => each.fn.sum(column).as(column))
      return rows
    })
    .execute()
}

/** Start of the first day with minutes at or after `from`; null: there is none. */
async function nextDay(db: Database, from: number): Promise<number | null> {
  const row = await db
    .selectFrom('usage_minutes')
    .select((build) => build.fn.min('minute').as('first'))
    .where('minute', '>=', from)
    .executeTakeFirst()
  const first = row?.['first'] ?? null
  return first === null ? null : Number(first) - (Number(first) % usageResolutionMs.day)
}

export async function addUsageRollups(db: Database): Promise<void> {
  await createSums(db, 'hour')
  await createSums(db, 'day')
  await db.schema
    .createTable('usage_horizons')
    .addColumn('resolution', 'text', (column) => column.notNull().primaryKey())
    .addColumn('since', 'bigint', notNull)
    .execute()
  let day = await nextDay(db, 0)
  while (day !== null) {
    await sumDay(db, 'hour', day)
    await sumDay(db, 'day', day)
    day = await nextDay(db, day + usageResolutionMs.day)
  }
}
