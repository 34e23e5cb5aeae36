/**
 * The UsageStore port over Kysely. A series (one combination of dimensions) is a row of its own under a digest of
 * its dimensions, so that a minute's row is short and needs no look-up before it is written.
 */
import { createHash } from 'node:crypto'
import { type SelectQueryBuilder, sql } from 'kysely'
import {
  type UsageDimensions,
  type UsageQuery,
  type UsageResult,
  type UsageRollup,
  type UsageRow,
  type UsageStore,
  type UsageSums,
  usageDimensionFields,
  usageRowLimit,
} from '../../ports/usage-store.ts'
import { columnName } from './columns.ts'
import type { Database, Row, Schema } from './database.ts'
import { latencyBuckets, usageSums } from './usage-columns.ts'

const minuteMs = 60_000
/** Rows per statement: keeps one statement well under 5 ms. */
const rowsPerStatement = 64
const sumColumns = [...usageSums.map(({ column }) => column), ...latencyBuckets]

function seriesRow(dimensions: UsageDimensions): Row {
  const values: Row = {}
  // Model names come from callers, and PostgreSQL stores no NUL: one such name must not stop all sums.
  for (const field of usageDimensionFields) {
    const value = dimensions[field]
    values[columnName(field)] = typeof value === 'string' ? value.replaceAll('\u0000', '\ufffd') : value
  }
  const text = JSON.stringify(Object.values(values))
  return { id: createHash('sha256').update(text).digest('base64url').slice(0, 22), ...values }
}

function minuteRow(series: Row, rollup: UsageRollup): Row {
  const row: Row = {
    organization_id: series['organization_id'] ?? '',
    minute: rollup.minute,
    series_id: series['id'] ?? '',
  }
  for (const { field, column } of usageSums) row[column] = rollup.sums[field]
  for (const [index, column] of latencyBuckets.entries()) row[column] = rollup.latency[index] ?? 0
  return row
}

function addUp(into: Row, row: Row): void {
  for (const column of sumColumns) into[column] = Number(into[column]) + Number(row[column])
}

/** Rows by key, in the order of their keys: no key twice, which PostgreSQL refuses in one statement. */
function rowsOf(rollups: readonly UsageRollup[]): { readonly series: Row[]; readonly minutes: Row[] } {
  const series = new Map<string, Row>()
  const minutes = new Map<string, Row>()
  for (const rollup of rollups) {
    const own = seriesRow(rollup.dimensions)
    const key = String(own['id'])
    series.set(key, own)
    const row = minuteRow(own, rollup)
    const minuteKey = `${key} ${String(rollup.minute).padStart(16, '0')}`
    const found = minutes.get(minuteKey)
    if (found === undefined) minutes.set(minuteKey, row)
    else addUp(found, row)
  }
  return { series: inOrder(series), minutes: inOrder(minutes) }
}

function inOrder(rows: ReadonlyMap<string, Row>): Row[] {
  return [...rows].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row)
}

const added = Object.fromEntries(
  sumColumns.map((column) => [
    column,
    sql<number>`${sql.ref(`usage_minutes.${column}`)} + ${sql.ref(`excluded.${column}`)}`,
  ]),
)

/**
 * Several nodes add to the same rows at once. All take them in one order, first the series, then the minutes, so that
 * none waits for another that waits for it.
 */
async function addRollups(db: Database, rollups: readonly UsageRollup[]): Promise<void> {
  const { series, minutes } = rowsOf(rollups)
  await inParts(series, (rows) =>
    db
      .insertInto('usage_series')
      .values(rows)
      .onConflict((target) => target.column('id').doNothing())
      .execute(),
  )
  await inParts(minutes, (rows) =>
    db
      .insertInto('usage_minutes')
      .values(rows)
      .onConflict((target) => target.columns(['organization_id', 'minute', 'series_id']).doUpdateSet(added))
      .execute(),
  )
}

async function inParts(rows: readonly Row[], write: (part: Row[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < rows.length; start += rowsPerStatement) {
    await write(rows.slice(start, start + rowsPerStatement))
    // Let others have the thread between statements; the transaction stays open.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

async function readCursor(db: Database, name: string): Promise<string | null> {
  const row = await db
    .selectFrom('usage_cursors')
    .select('cursor')
    .where('name', '=', name)
    .executeTakeFirst()
  return row === undefined ? null : String(row['cursor'])
}

/** False: the cursor is not where the writer believes it to be. A second writer waits here for the first to commit. */
async function moveCursor(db: Database, batch: Parameters<UsageStore['apply']>[0]): Promise<boolean> {
  const { cursorName: name, cursor, expected } = batch
  if (expected === null) {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('usage_cursors')
      .values({ name, cursor })
      .onConflict((target) => target.column('name').doNothing())
      .executeTakeFirstOrThrow()
    return numInsertedOrUpdatedRows === 1n
  }
  const { numUpdatedRows } = await db
    .updateTable('usage_cursors')
    .set({ cursor })
    .where('name', '=', name)
    .where('cursor', '=', expected)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

async function apply(db: Database, batch: Parameters<UsageStore['apply']>[0]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    if (!(await moveCursor(transaction, batch)))
      throw new Error(`the usage cursor ${batch.cursorName} was moved by another writer`)
    await addRollups(transaction, batch.rollups)
  })
}

function bucketOf(query: UsageQuery): number | null {
  const { intervalMs } = query
  if (intervalMs === null) return null
  if (!Number.isSafeInteger(intervalMs) || intervalMs < minuteMs || intervalMs % minuteMs !== 0) {
    throw new RangeError('intervalMs is a multiple of a minute')
  }
  return intervalMs
}

type Rows = SelectQueryBuilder<Schema, string, Record<string, unknown>>

/** Sums by interval and group. Column names come from the tables of this file only, never from a caller. */
function selectSums(db: Database, query: UsageQuery): Rows {
  const bucket = bucketOf(query)
  // Integer arithmetic that SQLite and PostgreSQL agree on: subtract the remainder.
  const time =
    bucket === null
      ? sql<number>`${sql.lit(0)}`
      : sql<number>`${sql.ref('usage_minutes.minute')} - (${sql.ref('usage_minutes.minute')} % ${sql.lit(bucket)})`
  const from = query.from - (query.from % minuteMs)
  let rows: Rows = db
    .selectFrom('usage_minutes')
    .innerJoin('usage_series', 'usage_series.id', 'usage_minutes.series_id')
    .where('usage_minutes.minute', '>=', from)
    .where('usage_minutes.minute', '<', query.to)
    .select(time.as('time'))
  if (query.organizationId !== null) {
    rows = rows.where('usage_minutes.organization_id', '=', query.organizationId)
  }
  for (const field of usageDimensionFields) {
    const column = `usage_series.${columnName(field)}`
    const value = query.filter[field]
    if (value !== undefined) rows = rows.where(column, '=', value)
    if (query.groupBy.includes(field)) rows = rows.select(`${column} as ${columnName(field)}`).groupBy(column)
  }
  for (const column of sumColumns) {
    rows = rows.select((build) => build.fn.sum(`usage_minutes.${column}`).as(column))
  }
  return bucket === null ? rows : rows.groupBy(time)
}

function readRow(query: UsageQuery, row: Readonly<Record<string, unknown>>): UsageRow {
  const group: Record<string, string | number> = {}
  for (const field of usageDimensionFields) {
    if (!query.groupBy.includes(field)) continue
    const value = row[columnName(field)]
    group[field] = field === 'statusClass' ? Number(value) : String(value)
  }
  const sums: Record<string, number> = {}
  for (const { field, column } of usageSums) sums[field] = Number(row[column] ?? 0)
  return {
    time: query.intervalMs === null ? query.from : Number(row['time']),
    group,
    sums: sums as { -readonly [Field in keyof UsageSums]: UsageSums[Field] },
    latency: latencyBuckets.map((column) => Number(row[column] ?? 0)),
  }
}

async function runQuery(db: Database, query: UsageQuery): Promise<UsageResult> {
  const limit = Math.min(Math.max(Math.trunc(query.limit), 1), usageRowLimit)
  const rows = await selectSums(db, query)
    .orderBy('time')
    .orderBy('requests', 'desc')
    .limit(limit + 1)
    .execute()
  const read = rows.slice(0, limit).map((row) => readRow(query, row))
  // Without groups SQL gives one row of NULL sums where nothing matched: that is no row to the caller.
  return { rows: read.filter((row) => row.sums.requests > 0), truncated: rows.length > limit }
}

async function prune(db: Database, terms: { before: number; limit: number }): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    const old = await transaction
      .selectFrom('usage_minutes')
      .select(['organization_id', 'minute', 'series_id'])
      .where('minute', '<', terms.before)
      .orderBy('minute')
      .orderBy('organization_id')
      .orderBy('series_id')
      .limit(terms.limit)
      .execute()
    for (const row of old) {
      await transaction
        .deleteFrom('usage_minutes')
        .where('organization_id', '=', row['organization_id'] ?? '')
        .where('minute', '=', row['minute'] ?? 0)
        .where('series_id', '=', row['series_id'] ?? '')
        .execute()
    }
    const series = [...new Set(old.map((row) => row['series_id'] ?? ''))]
    if (series.length > 0) {
      await transaction
        .deleteFrom('usage_series')
        .where('id', 'in', series)
        .where((build) =>
          build.not(
            build.exists(
              build
                .selectFrom('usage_minutes')
                .select('minute')
                .whereRef('usage_minutes.series_id', '=', 'usage_series.id'),
            ),
          ),
        )
        .execute()
    }
    return old.length
  })
}

export function createSqlUsageStore(db: Database): UsageStore {
  return {
    readCursor: (name) => readCursor(db, name),
    apply: (batch) => apply(db, batch),
    query: (query) => runQuery(db, query),
    prune: (before, limit) => prune(db, { before, limit: Math.min(Math.max(limit, 1), 1000) }),
  }
}
