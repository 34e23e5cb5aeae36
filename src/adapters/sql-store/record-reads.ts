/** Reads over one noun. Every statement on a tenant-owned table carries the organization id. */
import type { Page, PageQuery } from '../../ports/store.ts'
import { columnName, encodeValue } from './columns.ts'
import { readCursor, readLimit, writeCursor } from './record-cursor.ts'
import { type Identified, type RecordTable, type Scope, scopeOf } from './record-table.ts'
import type { Session } from './session.ts'

function select<T>(session: Session, table: RecordTable<T>, scope: Scope) {
  let query = session.db.selectFrom(table.noun.table).selectAll()
  for (const [column, value] of scopeOf(table.noun, scope)) query = query.where(column, '=', value)
  return query
}

/** The record whose `field` (`id`, or the noun's unique name) has this value. */
export async function getRecord<T>(
  session: Session,
  table: RecordTable<T>,
  key: { readonly scope: Scope; readonly field?: string; readonly value: string },
): Promise<T | null> {
  const column = columnName(key.field ?? 'id')
  const row = await select(session, table, key.scope).where(column, '=', key.value).executeTakeFirst()
  return row === undefined ? null : table.codec.decode(row)
}

export async function listRecords<T extends Identified>(
  session: Session,
  table: RecordTable<T>,
  terms: { readonly scope: Scope; readonly query: PageQuery | undefined },
): Promise<Page<T>> {
  const { scope, query } = terms
  const limit = readLimit(query?.limit)
  let statement = select(session, table, scope)
  const wanted = (query ?? {}) as Readonly<Record<string, unknown>>
  for (const field of table.noun.filters) {
    const value = wanted[field]
    if (value === undefined) continue
    statement = statement.where(columnName(field), '=', encodeValue(table.noun.columns[field], value))
  }
  if (query?.after !== undefined) {
    const { createdAt, id } = readCursor(query.after)
    statement = statement.where((build) =>
      build.or([
        build('created_at', '>', createdAt),
        build.and([build('created_at', '=', createdAt), build('id', '>', id)]),
      ]),
    )
  }
  const rows = await statement
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  const items = rows.slice(0, limit).map((row) => table.codec.decode(row))
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? writeCursor(last) : null }
}
