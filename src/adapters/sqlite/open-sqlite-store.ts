/** Opens (and creates, and migrates) the embedded database. */
import { chmodSync, closeSync, openSync } from 'node:fs'
import { Kysely } from 'kysely'
import type { CentralCounters } from '../../ports/central-counters.ts'
import type { CheckpointBoard } from '../../ports/checkpoint-board.ts'
import type { LimitAlerts } from '../../ports/limit-alerts.ts'
import type { Store } from '../../ports/store.ts'
import type { UsageStore } from '../../ports/usage-store.ts'
import { sqliteTime } from '../sql-counters/server-time.ts'
import { createSqlCounters, type SqlCountersOptions } from '../sql-counters/sql-central-counters.ts'
import type { Database, Schema } from '../sql-store/database.ts'
import { migrate } from '../sql-store/migrate.ts'
import { createSqlCheckpointBoard } from '../sql-store/sql-checkpoint-board.ts'
import { createSqlLimitAlerts } from '../sql-store/sql-limit-alerts.ts'
import { createSqlStore } from '../sql-store/sql-store.ts'
import { createSqlUsageStore } from '../sql-store/sql-usage-store.ts'
import { classifySqliteError } from './classify-sqlite-error.ts'
import { createSqliteDialect, type SqliteOptions } from './sqlite-dialect.ts'

export interface SqliteStorage {
  readonly store: Store
  readonly usage: UsageStore
  readonly alerts: LimitAlerts
  readonly checkpoints: CheckpointBoard
  /** Counters in the same database, which is this node's alone: nobody else asks whether the node lives. */
  openCounters(options: Omit<SqlCountersOptions, 'serverTime' | 'presenceMs'>): CentralCounters
  /** Closes all. */
  close(): Promise<void>
}

/** SQLite gives the write-ahead log the mode of the database file: only the owner may read either. */
function createPrivateFile(path: string): void {
  if (path === ':memory:') return
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
}

/**
 * A migrated database, without the store on top. Throws what `migrate` throws, or the driver's error when the file
 * cannot be opened.
 */
export async function openSqliteDatabase(options: SqliteOptions): Promise<Database> {
  createPrivateFile(options.path)
  const db = new Kysely<Schema>({ dialect: createSqliteDialect(options) })
  try {
    await migrate(db)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return db
}

/** Throws what `openSqliteDatabase` throws. */
export async function openSqliteStore(options: SqliteOptions): Promise<SqliteStorage> {
  const db = await openSqliteDatabase(options)
  const store = createSqlStore(db, classifySqliteError)
  return {
    store,
    usage: createSqlUsageStore(db),
    alerts: createSqlLimitAlerts(db, classifySqliteError),
    checkpoints: createSqlCheckpointBoard(db),
    openCounters: (own) => createSqlCounters(db, { ...own, presenceMs: own.ttlMs, serverTime: sqliteTime }),
    close: () => store.close(),
  }
}
