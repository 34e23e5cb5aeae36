/**
 * Record ↔ row. A record's fields are listed once with their kind; column names are the snake-case field names.
 * Times and counts are integers, lists and objects are JSON text, booleans are 0 and 1, absent values are NULL.
 */
import type { Row, SqlValue } from './database.ts'

export type ColumnKind = 'text' | 'integer' | 'boolean' | 'json'
export type Columns<T> = { readonly [Field in keyof T & string]-?: ColumnKind }

export interface Codec<T> {
  encode(record: T): Row
  decode(row: Readonly<Record<string, unknown>>): T
}

/** `organizationId` → `organization_id`. */
export function columnName(field: string): string {
  let out = ''
  for (const char of field) out += char >= 'A' && char <= 'Z' ? `_${char.toLowerCase()}` : char
  return out
}

export function encodeValue(kind: ColumnKind, value: unknown): SqlValue {
  if (value === null || value === undefined) return null
  switch (kind) {
    case 'text':
      return String(value)
    case 'integer':
      return Number(value)
    case 'boolean':
      return value === true ? 1 : 0
    case 'json':
      return JSON.stringify(value)
  }
}

function decodeValue(kind: ColumnKind, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (kind) {
    case 'text':
      return String(value)
    case 'integer':
      // PostgreSQL gives 64-bit integers as text; all of ours stay below 2^53.
      return Number(value)
    case 'boolean':
      return Number(value) === 1
    case 'json':
      return JSON.parse(String(value))
  }
}

export function createCodec<T extends object>(columns: Columns<T>): Codec<T> {
  const list = Object.entries<ColumnKind>(columns).map(([field, kind]) => ({
    field,
    kind,
    column: columnName(field),
  }))
  return {
    encode(record) {
      const values = record as Readonly<Record<string, unknown>>
      const row: Row = {}
      for (const { field, kind, column } of list) row[column] = encodeValue(kind, values[field])
      return row
    },
    decode(row) {
      const record: Record<string, unknown> = {}
      for (const { field, kind, column } of list) record[field] = decodeValue(kind, row[column])
      return record as T
    },
  }
}
