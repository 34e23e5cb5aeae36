/** The clock of the database, Unix milliseconds: all nodes go by it, whatever their own clocks say. */
import { type RawBuilder, sql } from 'kysely'

export const sqliteTime: RawBuilder<number> = sql<number>`unixepoch('subsec') * 1000`
/** Not `now()`: that is when the transaction began, which may have waited for a lock since. */
export const postgresTime: RawBuilder<number> = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::double precision`
