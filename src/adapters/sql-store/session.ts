/**
 * One place for transactions, version bumps and the translation of driver errors.
 *
 * The version row is written in the same transaction as the change, so versions become visible in the order of
 * commits and none is skipped. A store used inside its own transaction would wait for itself on a single
 * connection; the session refuses that with a plain error instead.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { sql } from 'kysely'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { ClassifyError, Database, SqlErrorKind } from './database.ts'

/** The database asked that often to begin a transaction anew; then it is unavailable. */
const maxAttempts = 4

/** What the data plane sees change; null: nothing. */
export type ChangeKind = 'configuration' | 'keys' | null

export interface Session {
  /** The connection for reads. */
  readonly db: Database
  /** Runs `work` in a transaction: the one under way, or a new one. */
  atomically<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** Takes the next version for a change; null changes take none and give 0. */
  bump(kind: ChangeKind): Promise<number>
  /** Runs one statement; its driver error becomes what `translate` makes of it. */
  run<T>(statement: () => Promise<T>, translate: (kind: SqlErrorKind) => Fault | null): Promise<T>
}

export interface RootSession extends Session {
  /** A read-only transaction: all reads see one instant. */
  instant<T>(work: (session: Session) => Promise<T>): Promise<T>
  subscribe(listener: (version: number) => void): () => void
}

interface TransactionState {
  version: number
  /** Some databases abort a transaction at the first failed statement; then nothing of it may commit. */
  failure: unknown
}

function unavailable(error: unknown): Fault {
  return new Fault(faults.storageUnavailable, {
    internal: 'the database refused the statement',
    cause: error,
  })
}

function createTransactionSession(db: Database, state: TransactionState, classify: ClassifyError): Session {
  const session: Session = {
    db,
    atomically: (work) => work(session),
    async bump(kind) {
      if (kind === null) return 0
      const row = await db
        .updateTable('change_versions')
        .set({ value: sql<number>`value + 1` })
        .where('name', '=', 'current')
        .returning('value')
        .executeTakeFirstOrThrow()
      const version = Number(row['value'])
      if (kind === 'configuration') {
        await db.updateTable('change_versions').set({ value: version }).where('name', '=', kind).execute()
      }
      state.version = version
      return version
    },
    async run(statement, translate) {
      try {
        return await statement()
      } catch (error) {
        if (error instanceof Fault) throw error
        const kind = classify(error)
        const fault = translate(kind) ?? (kind === 'unavailable' ? unavailable(error) : null)
        state.failure = fault ?? error
        throw state.failure
      }
    },
  }
  return session
}

export function createRootSession(db: Database, classify: ClassifyError): RootSession {
  const inside = new AsyncLocalStorage<true>()
  const listeners = new Set<(version: number) => void>()

  function refuseNesting(): void {
    if (inside.getStore() === true) throw new Error('the store was used inside its own transaction')
  }

  async function transact<T>(
    work: (session: Session) => Promise<T>,
    accessMode: 'read only' | 'read write',
    attempt = 1,
  ): Promise<T> {
    refuseNesting()
    const state: TransactionState = { version: 0, failure: null }
    let result: T
    try {
      result = await db
        .transaction()
        // All reads of one instant see one state; what writes sees what is committed, in turn.
        .setIsolationLevel(accessMode === 'read only' ? 'repeatable read' : 'read committed')
        .setAccessMode(accessMode)
        .execute(async (transaction) => {
          const session = createTransactionSession(transaction, state, classify)
          const value = await inside.run(true, () => work(session))
          if (state.failure !== null) throw state.failure
          return value
        })
    } catch (error) {
      const kind = error instanceof Fault ? 'other' : classify(error)
      if (kind === 'serialization' && attempt < maxAttempts) return transact(work, accessMode, attempt + 1)
      if (kind === 'serialization' || kind === 'unavailable') throw unavailable(error)
      throw error
    }
    if (state.version > 0) for (const listener of listeners) listener(state.version)
    return result
  }

  return {
    get db() {
      refuseNesting()
      return db
    },
    atomically: (work) => transact(work, 'read write'),
    instant: (work) => transact(work, 'read only'),
    bump: () => Promise.reject(new Error('a version is taken within a transaction only')),
    run: (statement) => statement(),
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}
