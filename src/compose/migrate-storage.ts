/** From the SQLite of a data directory into the PostgreSQL that `gatewright.yaml` names, while no gateway runs. */
import { existsSync } from 'node:fs'
import { openDataDirectory } from '../adapters/data-directory/data-directory.ts'
import { openEventLog } from '../adapters/event-log/open-event-log.ts'
import { describeConnectFailure } from '../adapters/postgres/describe-connect-failure.ts'
import { type ImportedTable, importDatabase } from '../adapters/postgres/import-database.ts'
import { openPostgresDatabase } from '../adapters/postgres/open-postgres-store.ts'
import { openSqliteDatabase } from '../adapters/sqlite/open-sqlite-store.ts'
import { type Environment, type LoadedConfig, readSecretReference } from '../config/index.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { requireRootKey, StartRefusal } from './describe-refusal.ts'
import { postgresOptions, sqliteUsageCursor, usageCursorOf } from './open-database.ts'

export interface MigrateStorageParts {
  readonly config: LoadedConfig['config']
  /** Directory that relative paths of the configuration start from. */
  readonly workingDirectory: string
  readonly environment: Environment
}

/** The source stays as it is. @throws what `describeRefusal` tells a person; then the target is as it was */
export async function migrateStorage(parts: MigrateStorageParts): Promise<readonly ImportedTable[]> {
  const { config, workingDirectory, environment } = parts
  if (config.storage.kind !== 'postgres')
    throw new StartRefusal('Name the new database in gatewright.yaml first: storage.kind is not postgres.')
  const directory = openDataDirectory(config.dataDir)
  if (!existsSync(directory.databaseFile))
    throw new StartRefusal(`There is nothing to migrate: ${directory.databaseFile} does not exist.`)
  requireRootKey(directory)
  const options = postgresOptions({
    config: config.storage,
    workingDirectory,
    readReference: (reference) => readSecretReference(reference, environment, workingDirectory),
  })
  // The log has one writer: while we hold it no gateway runs on this directory.
  const log = await openEventLog({ directory: directory.usageDirectory })
  try {
    const source = await openSqliteDatabase({ path: directory.databaseFile })
    try {
      const target = await openPostgresDatabase(options)
      const cursor = usageCursorOf(directory)
      const convert: Parameters<typeof importDatabase>[0]['convert'] = (table, row) =>
        table === 'usage_cursors' && row['name'] === sqliteUsageCursor ? { ...row, name: cursor } : row
      return await importDatabase({ source, target, convert }).finally(() => target.destroy())
    } finally {
      await source.destroy()
    }
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== faults.storageUnavailable.code) throw error
    throw new StartRefusal(describeConnectFailure(error, options), { cause: error })
  } finally {
    await log.close()
  }
}
