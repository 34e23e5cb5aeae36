/**
 * What PostgreSQL's error codes (https://www.postgresql.org/docs/current/errcodes-appendix.html) mean to the store.
 * An error of the driver without such a code is one of the connection: nothing else fails there.
 */
import { DatabaseError } from 'pg'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { SqlErrorKind } from '../sql-store/database.ts'

const states: Readonly<Record<string, SqlErrorKind>> = {
  '23505': 'unique', // unique_violation
  '23503': 'foreign-key', // foreign_key_violation
  '23001': 'foreign-key', // restrict_violation
  '40001': 'serialization', // serialization_failure
  '40P01': 'serialization', // deadlock_detected
  '25006': 'unavailable', // read_only_sql_transaction: this is a standby
  '25P03': 'unavailable', // idle_in_transaction_session_timeout
  '25P04': 'unavailable', // transaction_timeout
  '55P03': 'unavailable', // lock_not_available
  '57014': 'unavailable', // query_canceled: the statement timeout
  '3D000': 'unavailable', // invalid_catalog_name: the database is not there
}

/** Connection, authorization, resources, operator intervention, system errors. */
const unavailableClasses = new Set(['08', '28', '53', '57', '58'])

/** Text or numbers that no column takes, such as a NUL character: mistakes of the caller. */
const unstorable = new Set(['22021', '22P05', '22P02', '22003'])

export function classifyPostgresError(error: unknown): SqlErrorKind {
  if (!(error instanceof DatabaseError) || error.code === undefined) return 'other'
  return states[error.code] ?? (unavailableClasses.has(error.code.slice(0, 2)) ? 'unavailable' : 'other')
}

/** An error of `pg` as the fault that it is to everybody above; other errors as they are. */
export function translateDriverError(error: unknown): unknown {
  if (error instanceof DatabaseError) {
    if (classifyPostgresError(error) === 'unavailable') return unavailable(error)
    if (!unstorable.has(error.code ?? '')) return error
    const reason = 'a value holds characters or numbers that cannot be stored'
    return new Fault(faults.validation, { public: { reason }, cause: error })
  }
  return error instanceof Fault ? error : unavailable(error)
}

function unavailable(cause: unknown): Fault {
  return new Fault(faults.storageUnavailable, { internal: 'the database cannot be reached', cause })
}
