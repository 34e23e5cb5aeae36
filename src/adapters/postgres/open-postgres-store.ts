/** Opens (and migrates) the database that several nodes share. */
import { Kysely } from 'kysely'
import { Pool } from 'pg'
import type { CentralCounters } from '../../ports/central-counters.ts'
import type { CheckpointBoard } from '../../ports/checkpoint-board.ts'
import type { LimitAlerts } from '../../ports/limit-alerts.ts'
import type { Store } from '../../ports/store.ts'
import type { UsageStore } from '../../ports/usage-store.ts'
import { postgresTime } from '../sql-counters/server-time.ts'
import { createSqlCounters, type SqlCountersOptions } from '../sql-counters/sql-central-counters.ts'
import type { Database, Schema } from '../sql-store/database.ts'
import { migrate } from '../sql-store/migrate.ts'
import { createSqlCheckpointBoard } from '../sql-store/sql-checkpoint-board.ts'
import { createSqlLimitAlerts } from '../sql-store/sql-limit-alerts.ts'
import { createSqlStore } from '../sql-store/sql-store.ts'
import { createSqlUsageStore } from '../sql-store/sql-usage-store.ts'
import { openChangeFeed } from './change-feed.ts'
import { classifyPostgresError } from './classify-postgres-error.ts'
import { connectionSettings, type PostgresOptions } from './connection-settings.ts'
import { createPostgresDialect } from './postgres-dialect.ts'

export interface PostgresStorage {
  readonly store: Store
  readonly usage: UsageStore
  readonly alerts: LimitAlerts
  readonly checkpoints: CheckpointBoard
  /** Counters in the same database. */
  openCounters(options: Omit<SqlCountersOptions, 'serverTime'>): CentralCounters
  /** Closes all. */
  close(): Promise<void>
}

export interface OpenPostgresOptions extends PostgresOptions {
  /** The database was lost (false), or is there again (true). */
  readonly onConnection?: (isThere: boolean) => void
}

function createPool(options: PostgresOptions): Pool {
  const pool = new Pool({ ...connectionSettings(options), max: options.poolSize })
  // A connection that breaks tells its user, if it has one, by the statement under way, and leaves the pool. Without
  // listeners the event would end the thread.
  pool.on('error', ignore)
  pool.on('connect', (client) => client.on('error', ignore))
  return pool
}

function ignore(): void {}

const databaseOn = (pool: Pool): Database => new Kysely<Schema>({ dialect: createPostgresDialect(pool) })

/**
 * A migrated database, without the store on top. A migration takes the time it takes, and waits for that of another
 * node: no statement on it has a bound.
 * @throws what `migrate` throws; a Fault when the database cannot be reached
 */
export async function openPostgresDatabase(options: PostgresOptions): Promise<Database> {
  const db = databaseOn(createPool({ ...options, statementTimeoutMs: 0, poolSize: 2 }))
  try {
    await migrate(db)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return db
}

/** @throws what `openPostgresDatabase` throws */
export async function migratePostgres(options: PostgresOptions): Promise<void> {
  await (await openPostgresDatabase(options)).destroy()
}

/** @throws what `migratePostgres` throws */
export async function openPostgresStore(options: OpenPostgresOptions): Promise<PostgresStorage> {
  await migratePostgres(options)
  const pool = createPool(options)
  const db = databaseOn(pool)
  const inner = createSqlStore(db, classifyPostgresError)
  const feed = openChangeFeed({
    settings: connectionSettings(options),
    pool,
    onConnection: options.onConnection ?? (() => {}),
    readVersion: async () => (await inner.versions()).current,
  })
  const stopAnnouncing = inner.subscribe((version) => feed.announce(version))
  const store: Store = {
    ...inner,
    subscribe(listener) {
      const stops = [inner.subscribe(listener), feed.subscribe(listener)]
      return () => {
        for (const stop of stops) stop()
      }
    },
    async close() {
      stopAnnouncing()
      await feed.close()
      await inner.close()
    },
  }
  return {
    store,
    usage: createSqlUsageStore(db),
    alerts: createSqlLimitAlerts(db, classifyPostgresError),
    checkpoints: createSqlCheckpointBoard(db),
    openCounters: (own) => createSqlCounters(db, { ...own, serverTime: postgresTime }),
    close: () => store.close(),
  }
}
