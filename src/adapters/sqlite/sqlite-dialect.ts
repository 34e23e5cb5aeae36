/**
 * Kysely dialect over `node:sqlite`. One connection per database; Kysely serializes its users. Statements run on
 * the calling thread: this dialect belongs to the control plane, never to a data-plane worker.
 *
 * Durability: write-ahead log with `synchronous = FULL`, so a committed change survives loss of power.
 * Bound: at most `maxStatements` prepared statements are kept, least recently used first out.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'

const maxStatements = 256
const defaultBusyTimeoutMs = 5000

export interface SqliteOptions {
  /** File, or `:memory:`. */
  readonly path: string
  /** How long to wait for another process that holds the write lock; default 5,000. */
  readonly busyTimeoutMs?: number
}

interface Prepared {
  readonly statement: StatementSync
  readonly returnsRows: boolean
}

/** SQLite can roll back schema changes, which Kysely's own adapter leaves unused: a failed migration leaves nothing. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

function createConnection(database: DatabaseSync): DatabaseConnection {
  const prepared = new Map<string, Prepared>()

  function prepare(sql: string): Prepared {
    let entry = prepared.get(sql)
    if (entry === undefined) {
      const statement = database.prepare(sql)
      entry = { statement, returnsRows: statement.columns().length > 0 }
      const oldest = prepared.keys().next()
      if (prepared.size >= maxStatements && oldest.done !== true) prepared.delete(oldest.value)
    } else prepared.delete(sql)
    prepared.set(sql, entry)
    return entry
  }

  function execute<R>(query: CompiledQuery): QueryResult<R> {
    const { statement, returnsRows } = prepare(query.sql)
    const parameters = query.parameters as readonly SQLInputValue[]
    if (returnsRows) return { rows: statement.all(...parameters) as R[] }
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  return {
    executeQuery: async <R>(query: CompiledQuery) => execute<R>(query),
    async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
      const { statement } = prepare(query.sql)
      for (const row of statement.iterate(...(query.parameters as readonly SQLInputValue[]))) {
        yield { rows: [row as R] }
      }
    },
  }
}

function openDatabase(options: SqliteOptions): DatabaseSync {
  const timeout = options.busyTimeoutMs ?? defaultBusyTimeoutMs
  const database = new DatabaseSync(options.path, { timeout, enableForeignKeyConstraints: true })
  database.exec('pragma journal_mode = wal')
  database.exec('pragma synchronous = full')
  database.exec('pragma foreign_keys = on')
  return database
}

function createDriver(options: SqliteOptions): Driver {
  let database: DatabaseSync | null = null
  let connection: DatabaseConnection | null = null
  const send = async (target: DatabaseConnection, sql: string): Promise<void> => {
    await target.executeQuery(CompiledQuery.raw(sql))
  }
  return {
    async init() {
      database = openDatabase(options)
      connection = createConnection(database)
    },
    acquireConnection: () =>
      connection === null
        ? Promise.reject(new Error('the database is not open'))
        : Promise.resolve(connection),
    // IMMEDIATE takes the write lock at the start: a transaction never fails half-way for lack of it.
    beginTransaction: (target, settings: TransactionSettings) =>
      send(target, settings.accessMode === 'read only' ? 'begin' : 'begin immediate'),
    commitTransaction: (target) => send(target, 'commit'),
    async rollbackTransaction(target) {
      // After some errors (a full disk, for one) SQLite has rolled back by itself; a second time would be an error
      // that hides the first: https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction
      if (database?.isTransaction === true) await send(target, 'rollback')
    },
    releaseConnection: () => Promise.resolve(),
    async destroy() {
      database?.close()
      database = null
      connection = null
    },
  }
}

export function createSqliteDialect(options: SqliteOptions): Dialect {
  return {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => createDriver(options),
    createIntrospector: (db: Kysely<never>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}
