/**
 * The shapes that all SQL stores share. Rows are loosely typed here: the column tables (`nouns.ts`) encode and
 * decode them, and every statement is built by Kysely with bound parameters.
 */
import type { Kysely } from 'kysely'

export type SqlValue = string | number | null
export type Row = Record<string, SqlValue>
export type Schema = Record<string, Row>
export type Database = Kysely<Schema>

/** What a driver's error means; the only thing in which the SQL adapters differ besides the driver. */
export type SqlErrorKind = 'unique' | 'foreign-key' | 'serialization' | 'unavailable' | 'other'
export type ClassifyError = (error: unknown) => SqlErrorKind
