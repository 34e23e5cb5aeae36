/** What SQLite's extended result codes (https://sqlite.org/rescode.html) mean to the store. */
import type { SqlErrorKind } from '../sql-store/database.ts'

const extended = new Map<number, SqlErrorKind>([
  [2067, 'unique'], // SQLITE_CONSTRAINT_UNIQUE
  [1555, 'unique'], // SQLITE_CONSTRAINT_PRIMARYKEY
  [787, 'foreign-key'], // SQLITE_CONSTRAINT_FOREIGNKEY
])

/** Primary codes: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN. */
const unavailable = new Set([5, 6, 8, 10, 13, 14])

export function classifySqliteError(error: unknown): SqlErrorKind {
  if (!(error instanceof Error) || !('errcode' in error)) return 'other'
  const code = Number(error.errcode)
  return extended.get(code) ?? (unavailable.has(code & 0xff) ? 'unavailable' : 'other')
}
