/**
 * Kysely dialect over a pool of `pg`.
 *
 * A transaction that says it writes takes one lock of the whole database first: of all nodes one writes at a time, as
 * with SQLite. So versions become visible in the order of commits, what a transaction has checked stays true until it
 * commits, and two nodes that start on an empty database make one set of first objects. Writers of usage sums do not
 * say so: they go side by side.
 *
 * An error of the connection becomes `faults.storageUnavailable`, and that connection is not used again.
 */
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'
import type { Pool, PoolClient, QueryResult as PostgresResult } from 'pg'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { translateDriverError } from './classify-postgres-error.ts'

/** Any number that nobody else takes: the four bytes `GWwr`. */
const writerLock = 0x47577772
const changing = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])
/** Rows that a stream holds at a time. */
const streamRows = 500

function isUnavailable(error: unknown): boolean {
  return error instanceof Fault && error.code === faults.storageUnavailable.code
}

class PoolConnection implements DatabaseConnection {
  readonly #client: PoolClient
  #isBroken = false

  constructor(client: PoolClient) {
    this.#client = client
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.#query(sql, parameters)
    return { rows: rows as R[], ...(changing.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) }
  }

  async #query(sql: string, parameters: readonly unknown[]): Promise<PostgresResult> {
    try {
      return await this.#client.query(sql, [...parameters])
    } catch (error) {
      const translated = translateDriverError(error)
      if (isUnavailable(translated)) this.#isBroken = true
      throw translated
    }
  }

  async commit(): Promise<void> {
    const { command } = await this.#query('commit', [])
    // The commit of a transaction that an error has ended is no error: only its command tells.
    if (command === 'ROLLBACK') throw new Error('the transaction had failed and was rolled back')
  }

  /** Never throws: what cannot be rolled back ends with its connection, and the first error is the one to tell. */
  async rollback(): Promise<void> {
    await this.#query('rollback', []).catch(() => {
      this.#isBroken = true
    })
  }

  /** Within a transaction, and of one stream at a time. */
  async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    await this.executeQuery(CompiledQuery.raw(`declare stream no scroll cursor for ${sql}`, [...parameters]))
    for (;;) {
      const { rows } = await this.executeQuery<R>(CompiledQuery.raw(`fetch ${streamRows} from stream`))
      if (rows.length === 0) break
      yield { rows }
    }
    await this.executeQuery(CompiledQuery.raw('close stream'))
  }

  release(): void {
    this.#client.release(this.#isBroken)
  }
}

function beginStatement({ accessMode, isolationLevel }: TransactionSettings): string {
  const level = `begin isolation level ${isolationLevel ?? 'read committed'} ${accessMode ?? 'read write'}`
  return accessMode === 'read write' ? `${level}; select pg_advisory_xact_lock(${writerLock})` : level
}

function createDriver(pool: Pool): Driver {
  // Kysely gives back what it was given.
  const ours = (connection: DatabaseConnection): PoolConnection => {
    if (connection instanceof PoolConnection) return connection
    throw new TypeError('the connection is of another driver')
  }
  return {
    init: () => Promise.resolve(),
    async acquireConnection() {
      try {
        return new PoolConnection(await pool.connect())
      } catch (error) {
        throw translateDriverError(error)
      }
    },
    async beginTransaction(connection, settings) {
      await connection.executeQuery(CompiledQuery.raw(beginStatement(settings)))
    },
    commitTransaction: (connection) => ours(connection).commit(),
    rollbackTransaction: (connection) => ours(connection).rollback(),
    releaseConnection: async (connection) => ours(connection).release(),
    destroy: () => pool.end(),
  }
}

export function createPostgresDialect(pool: Pool): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => createDriver(pool),
    createIntrospector: (db: Kysely<never>) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}
