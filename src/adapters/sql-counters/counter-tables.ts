/** Tables of the shared counters; a migration of the SQL stores. Times are Unix milliseconds of the database's clock. */
import type { Database } from '../sql-store/database.ts'

/** Stored name of a counter → its state. `keep_until`: when it says nothing any more. */
export const countersTable = 'counters'
/** Units that a node has leased or holds. */
export const leasesTable = 'counter_leases'
/** Nodes that renew. */
export const nodesTable = 'counter_nodes'

export async function createCounterTables(db: Database): Promise<void> {
  await db.schema
    .createTable(countersTable)
    .addColumn('key', 'text', (column) => column.notNull().primaryKey())
    .addColumn('units', 'double precision', (column) => column.notNull())
    .addColumn('at', 'double precision', (column) => column.notNull())
    .addColumn('keep_until', 'double precision', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('counters_age').on(countersTable).column('keep_until').execute()
  await db.schema
    .createTable(leasesTable)
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('units', 'double precision', (column) => column.notNull())
    .addColumn('is_slot', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('counter_leases_once', ['key', 'node'])
    .execute()
  await db.schema.createIndex('counter_leases_of_node').on(leasesTable).column('node').execute()
  await db.schema
    .createTable(nodesTable)
    .addColumn('node', 'text', (column) => column.notNull().primaryKey())
    .addColumn('run', 'text', (column) => column.notNull())
    .addColumn('seen_at', 'double precision', (column) => column.notNull())
    .execute()
}

/** The last report of a node, so that one whose answer was lost counts once. */
export async function addNodeReports(db: Database): Promise<void> {
  await db.schema
    .alterTable(nodesTable)
    .addColumn('report', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
}
