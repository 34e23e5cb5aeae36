/**
 * All rows of another database into an empty PostgreSQL, in one transaction: all of it or nothing. Each table is read
 * back before the commit, and its rows are counted and compared by checksum.
 *
 * PostgreSQL holds no NUL character in text; it becomes U+FFFD. Bound: `rowsAtOnce` rows in memory.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Database, Row, SqlValue } from '../sql-store/database.ts'

export interface ImportedTable {
  readonly table: string
  readonly rows: number
  /** Of all rows, whatever their order; hexadecimal. */
  readonly checksum: string
}

export interface ImportOptions {
  readonly source: Database
  /** Migrated. */
  readonly target: Database
  /** What a row becomes on its way. */
  readonly convert: (table: string, row: Row) => Row
}

const rowsAtOnce = 500
/** PostgreSQL takes 65,535 parameters in a statement. */
const maxParameters = 60_000
const checksumBytes = 32
/** The library's own, written by the migration of each database. */
const isOfMigrations = (table: string): boolean => table.startsWith('kysely_')

class Tally {
  rows = 0
  readonly #sum = Buffer.alloc(checksumBytes)

  add(row: Row): void {
    this.rows += 1
    const values = Object.keys(row).toSorted()
    const text = JSON.stringify(values.map((column) => row[column]))
    const digest = createHash('sha256').update(text).digest()
    for (let index = 0; index < checksumBytes; index += 1)
      this.#sum[index] = (this.#sum[index] ?? 0) ^ (digest[index] ?? 0)
  }

  get checksum(): string {
    return this.#sum.toString('hex')
  }
}

async function tablesOf(db: Database): Promise<string[]> {
  const tables = await db.introspection.getTables()
  return tables
    .filter(({ isView, name }) => !isView && !isOfMigrations(name))
    .map(({ name }) => name)
    .toSorted()
}

/** Tables that others refer to come first. */
async function inOrderOfReference(target: Database, tables: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ table: string; refers: string }>`
    select own.relname as table, other.relname as refers from pg_constraint
    join pg_class own on own.oid = conrelid join pg_class other on other.oid = confrelid
    where contype = 'f' and connamespace = current_schema()::regnamespace and conrelid <> confrelid`.execute(
    target,
  )
  const waiting = new Set(tables)
  const ordered: string[] = []
  while (waiting.size > 0) {
    const ready = [...waiting].filter((name) =>
      rows.every(({ table, refers }) => table !== name || !waiting.has(refers)),
    )
    if (ready.length === 0) throw new Error('the tables refer to each other in a circle')
    for (const name of ready) waiting.delete(name)
    ordered.push(...ready)
  }
  return ordered
}

function refuse(reason: string): Fault {
  return new Fault(faults.configInvalid, { public: { reason } })
}

/** Versions are there from the first migration on; they count as content when something has moved them. */
async function refuseContent(target: Database, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const any = target.selectFrom(table).selectAll().limit(1)
    const row = await (table === 'change_versions' ? any.where('value', '>', 1) : any).executeTakeFirst()
    if (row !== undefined)
      throw refuse(`the database is not empty: it has rows in ${table}; name an empty one in storage.url`)
  }
  await target.deleteFrom('change_versions').execute()
}

function storable(value: SqlValue): SqlValue {
  return typeof value === 'string' ? value.replaceAll('\u0000', '\ufffd') : value
}

async function copyTable(
  table: string,
  target: Database,
  { source, convert }: ImportOptions,
): Promise<Tally> {
  const tally = new Tally()
  let part: Row[] = []
  const write = async (): Promise<void> => {
    if (part.length > 0) await target.insertInto(table).values(part).execute()
    part = []
  }
  for await (const found of source.selectFrom(table).selectAll().stream()) {
    const row: Row = {}
    for (const [column, value] of Object.entries(convert(table, found))) row[column] = storable(value)
    tally.add(row)
    part.push(row)
    if (part.length >= rowsAtOnce || part.length * Object.keys(row).length >= maxParameters) await write()
  }
  await write()
  return tally
}

async function readBack(table: string, target: Database): Promise<Tally> {
  const tally = new Tally()
  for await (const row of target.selectFrom(table).selectAll().stream()) tally.add(row)
  return tally
}

/** @throws Fault where the target is not empty; an Error where the copies differ. Then the target is as it was. */
export async function importDatabase(options: ImportOptions): Promise<readonly ImportedTable[]> {
  const { source, target } = options
  const [own, theirs] = [await tablesOf(source), await tablesOf(target)]
  if (own.join() !== theirs.join())
    throw refuse('the database holds tables of something else; name one of its own in storage.url')
  // Saying that it writes keeps every gateway from writing meanwhile.
  return target
    .transaction()
    .setAccessMode('read write')
    .execute(async (transaction) => {
      await refuseContent(transaction, theirs)
      const imported: ImportedTable[] = []
      for (const table of await inOrderOfReference(transaction, theirs)) {
        const copied = await copyTable(table, transaction, options)
        const stored = await readBack(table, transaction)
        if (copied.rows !== stored.rows || copied.checksum !== stored.checksum)
          throw new Error(`${table}: ${copied.rows} rows were read and ${stored.rows} stored, or they differ`)
        imported.push({ table, rows: stored.rows, checksum: stored.checksum })
      }
      return imported
    })
}
