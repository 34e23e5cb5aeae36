/**
 * The UsageStore port over Kysely. A series (one combination of dimensions) is a row of its own under a digest of
 * its dimensions, so that a row of sums is short and needs no look-up before it is written.
 */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type ExpressionBuilder, type SelectQueryBuilder, sql } from 'kysely'
import {
  type UsageDimensions,
  type UsageGroup,
  type UsagePruneOrder,
  type UsageQuery,
  type UsageResolution,
  type UsageResult,
  type UsageRollup,
  type UsageRow,
  type UsageStore,
  type UsageSums,
  usageDimensionFields,
  usageResolutionMs,
  usageResolutions,
  usageRowLimit,
} from '../../ports/usage-store.ts'
import { columnName } from './columns.ts'
import type { Database, Row, Schema, SqlValue } from './database.ts'
import { planUsageQuery, type UsageHorizons, type UsagePart, type UsagePlan } from './plan-usage-query.ts'
import { latencyBuckets, usageSumColumns, usageSums, usageTables } from './usage-columns.ts'

/** Rows per statement: keeps one statement well under 5 ms. */
const rowsPerStatement = 64

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

function sumsRow(series: Row, rollup: UsageRollup, { time, start }: { time: string; start: number }): Row {
  const row: Row = {
    organization_id: series['organization_id'] ?? '',
    [time]: start,
    series_id: series['id'] ?? '',
  }
  for (const { field, column } of usageSums) row[column] = rollup.sums[field]
  for (const [index, column] of latencyBuckets.entries()) row[column] = rollup.latency[index] ?? 0
  return row
}

function addUp(into: Row, row: Row): void {
  for (const column of usageSumColumns) into[column] = Number(into[column]) + Number(row[column])
}

interface RollupRows {
  readonly series: Row[]
  readonly sums: Readonly<Record<UsageResolution, Row[]>>
}

/** Rows by key, in the order of their keys: no key twice, which PostgreSQL refuses in one statement. */
function rowsOf(rollups: readonly UsageRollup[]): RollupRows {
  const series = new Map<string, Row>()
  const sums = { minute: new Map<string, Row>(), hour: new Map<string, Row>(), day: new Map<string, Row>() }
  for (const rollup of rollups) {
    const own = seriesRow(rollup.dimensions)
    const key = String(own['id'])
    series.set(key, own)
    for (const resolution of usageResolutions) {
      const start = rollup.minute - (rollup.minute % usageResolutionMs[resolution])
      const row = sumsRow(own, rollup, { time: usageTables[resolution].time, start })
      const rowKey = `${key} ${String(start).padStart(16, '0')}`
      const found = sums[resolution].get(rowKey)
      if (found === undefined) sums[resolution].set(rowKey, row)
      else addUp(found, row)
    }
  }
  return {
    series: inOrder(series),
    sums: { minute: inOrder(sums.minute), hour: inOrder(sums.hour), day: inOrder(sums.day) },
  }
}

function inOrder(rows: ReadonlyMap<string, Row>): Row[] {
  return [...rows].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row)
}

function addedTo(table: string) {
  return Object.fromEntries(
    usageSumColumns.map((column) => [
      column,
      sql<number>`${sql.ref(`${table}.${column}`)} + ${sql.ref(`excluded.${column}`)}`,
    ]),
  )
}

/**
 * Several nodes add to the same rows at once. All take them in one order, first the series, then minutes, hours and
 * days, so that none waits for another that waits for it.
 */
async function addRollups(db: Database, rollups: readonly UsageRollup[]): Promise<void> {
  const { series, sums } = rowsOf(rollups)
  await inParts(series, (rows) =>
    db
      .insertInto('usage_series')
      .values(rows)
      .onConflict((target) => target.column('id').doNothing())
      .execute(),
  )
  for (const resolution of usageResolutions) {
    const { table, time } = usageTables[resolution]
    const added = addedTo(table)
    await inParts(sums[resolution], (rows) =>
      db
        .insertInto(table)
        .values(rows)
        .onConflict((target) => target.columns(['organization_id', time, 'series_id']).doUpdateSet(added))
        .execute(),
    )
  }
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

function checkInterval({ intervalMs, resolution }: UsageQuery): void {
  if (intervalMs === null) return
  const unit = usageResolutionMs[resolution === 'auto' ? 'minute' : resolution]
  if (!Number.isSafeInteger(intervalMs) || intervalMs < unit || intervalMs % unit !== 0) {
    throw new RangeError('intervalMs is a multiple of a minute, and of the resolution')
  }
}

type Rows = SelectQueryBuilder<Schema, string, Record<string, unknown>>

/** The sums of one part of the time, by series and interval: few rows to look the dimensions up for. */
function selectPart(db: Database, part: UsagePart, query: UsageQuery): Rows {
  const { table, time } = usageTables[part.resolution]
  // Integer arithmetic that SQLite and PostgreSQL agree on: subtract the remainder.
  const start =
    query.intervalMs === null
      ? sql<number>`${sql.lit(0)}`
      : sql<number>`${sql.ref(time)} - (${sql.ref(time)} % ${sql.lit(query.intervalMs)})`
  let rows: Rows = db
    .selectFrom(table)
    .where(time, '>=', part.from)
    .where(time, '<', part.to)
    .select(['series_id', start.as('time')])
    .groupBy('series_id')
  if (query.intervalMs !== null) rows = rows.groupBy(start)
  if (query.organizationId !== null) rows = rows.where('organization_id', '=', query.organizationId)
  for (const column of usageSumColumns) rows = rows.select((build) => build.fn.sum(column).as(column))
  return rows
}

type Terms = ExpressionBuilder<Schema, string>

function isOfGroup(build: Terms, group: UsageGroup, field: keyof UsageDimensions) {
  return build(`usage_series.${columnName(field)}`, '=', group[field] ?? '')
}

/** Sums by interval and group. Column names come from the tables of this file only, never from a caller. */
function selectSums(db: Database, plan: UsagePlan, query: UsageQuery): Rows | null {
  const [first, ...others] = plan.parts.map((part) => selectPart(db, part, query))
  if (first === undefined) return null
  const all = others.reduce((rows, each) => rows.unionAll(each), first)
  let rows: Rows = db
    .selectFrom(all.as('sums'))
    .innerJoin('usage_series', 'usage_series.id', 'sums.series_id')
    .select('sums.time as time')
    .groupBy('sums.time')
  for (const field of usageDimensionFields) {
    const column = `usage_series.${columnName(field)}`
    const value = query.filter[field]
    if (value !== undefined) rows = rows.where(column, '=', value)
    if (query.groupBy.includes(field)) rows = rows.select(`${column} as ${columnName(field)}`).groupBy(column)
  }
  for (const column of usageSumColumns) {
    rows = rows.select((build) => build.fn.sum(`sums.${column}`).as(column))
  }
  const { groups } = query
  if (groups !== undefined) {
    rows = rows.where((build) =>
      build.or(
        groups.map((group) => build.and(query.groupBy.map((field) => isOfGroup(build, group, field)))),
      ),
    )
  }
  return rows
}

/** Since when the sums of each resolution are kept. */
async function readHorizons(db: Database): Promise<UsageHorizons> {
  const horizons = { minute: 0, hour: 0, day: 0 }
  const rows = await db.selectFrom('usage_horizons').select(['resolution', 'since']).execute()
  for (const resolution of usageResolutions) {
    const row = rows.find((each) => each['resolution'] === resolution)
    if (row !== undefined) horizons[resolution] = Number(row['since'])
  }
  return horizons
}

function readRow(query: UsageQuery, from: number, row: Readonly<Record<string, unknown>>): UsageRow {
  const group: Record<string, string | number> = {}
  for (const field of usageDimensionFields) {
    if (!query.groupBy.includes(field)) continue
    const value = row[columnName(field)]
    group[field] = field === 'statusClass' ? Number(value) : String(value)
  }
  const sums: Record<string, number> = {}
  for (const { field, column } of usageSums) sums[field] = Number(row[column] ?? 0)
  return {
    time: query.intervalMs === null ? from : Number(row['time']),
    group,
    sums: sums as { -readonly [Field in keyof UsageSums]: UsageSums[Field] },
    latency: latencyBuckets.map((column) => Number(row[column] ?? 0)),
  }
}

async function runQuery(db: Database, query: UsageQuery): Promise<UsageResult> {
  checkInterval(query)
  for (;;) {
    const horizons = await readHorizons(db)
    const result = await sumUp(db, query, planUsageQuery(query, horizons))
    // Sums that went while they were read are missing from the answer: it is planned anew without them.
    if (isDeepStrictEqual(horizons, await readHorizons(db))) return result
  }
}

async function sumUp(db: Database, query: UsageQuery, plan: UsagePlan): Promise<UsageResult> {
  const limit = Math.min(Math.max(Math.trunc(query.limit), 1), usageRowLimit)
  const { from, to, parts } = plan
  const rows =
    (await selectSums(db, plan, query)
      ?.orderBy('time')
      .orderBy('requests', 'desc')
      .limit(limit + 1)
      .execute()) ?? []
  const read = rows.slice(0, limit).map((row) => readRow(query, from, row))
  return {
    from,
    to,
    resolutions: usageResolutions.filter((each) => parts.some((part) => part.resolution === each)),
    // Sums of nothing are no row to the caller.
    rows: read.filter((row) => row.sums.requests > 0),
    truncated: rows.length > limit,
  }
}

async function raiseHorizon(db: Database, resolution: UsageResolution, since: number): Promise<void> {
  await db
    .insertInto('usage_horizons')
    .values({ resolution, since })
    .onConflict((target) =>
      target.column('resolution').doUpdateSet({ since }).where('usage_horizons.since', '<', since),
    )
    .execute()
}

async function prune(db: Database, { resolution, before, limit }: UsagePruneOrder): Promise<number> {
  const { table, time } = usageTables[resolution]
  const since = before - (before % usageResolutionMs.day)
  return db.transaction().execute(async (transaction) => {
    const old = await transaction
      .selectFrom(table)
      .select(['organization_id', time, 'series_id'])
      .where(time, '<', since)
      .orderBy(time)
      .orderBy('organization_id')
      .orderBy('series_id')
      .limit(Math.min(Math.max(limit, 1), 1000))
      .execute()
    if (old.length > 0) await raiseHorizon(transaction, resolution, since)
    for (const row of old) {
      await transaction
        .deleteFrom(table)
        .where('organization_id', '=', row['organization_id'] ?? '')
        .where(time, '=', row[time] ?? 0)
        .where('series_id', '=', row['series_id'] ?? '')
        .execute()
    }
    await removeUnusedSeries(transaction, [...new Set(old.map((row) => row['series_id'] ?? ''))])
    return old.length
  })
}

/** Removes those of the series that no sum of any resolution names any more. */
async function removeUnusedSeries(db: Database, ids: readonly SqlValue[]): Promise<void> {
  if (ids.length === 0) return
  let unused = db.deleteFrom('usage_series').where('id', 'in', [...ids])
  for (const { table } of Object.values(usageTables)) {
    unused = unused.where((build) =>
      build.not(
        build.exists(
          build.selectFrom(table).select('series_id').whereRef(`${table}.series_id`, '=', 'usage_series.id'),
        ),
      ),
    )
  }
  await unused.execute()
}

export function createSqlUsageStore(db: Database): UsageStore {
  return {
    readCursor: (name) => readCursor(db, name),
    apply: (batch) => apply(db, batch),
    query: (query) => runQuery(db, query),
    prune: (order) => prune(db, order),
  }
}
