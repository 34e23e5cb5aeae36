/** Brings a database to the newest schema, and refuses one that a newer release has written. */
import { Migrator } from 'kysely/migration'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Database } from './database.ts'
import { migrations } from './migrations.ts'

/** Idempotent. Throws `faults.dataDirectory` for a newer schema; any other failure leaves the schema as it was. */
export async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } })
  const known = new Set(Object.keys(migrations))
  for (const name of await executedMigrations(db)) {
    if (known.has(name)) continue
    const reason = `its database has the schema ${name}, which is newer than this release: start the release that wrote it, or a later one`
    throw new Fault(faults.dataDirectory, { public: { reason } })
  }
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

async function executedMigrations(db: Database): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some((table) => table.name === 'kysely_migration')) return []
  const rows = await db.selectFrom('kysely_migration').select('name').execute()
  return rows.map((row) => String(row['name']))
}
