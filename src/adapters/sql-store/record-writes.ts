/**
 * Changes to one noun, each in a transaction. References are checked within the same organization before writing,
 * for a clear fault; the composite foreign keys of the schema stand behind the check.
 */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { UpdateTerms } from '../../ports/store.ts'
import type { SqlErrorKind } from './database.ts'
import { getRecord } from './record-reads.ts'
import {
  conflict,
  fieldOf,
  type Identified,
  notFound,
  type RecordTable,
  type Scope,
  scopeOf,
} from './record-table.ts'
import type { Session } from './session.ts'

export interface Change<Patch> extends UpdateTerms {
  readonly patch: Patch
}

async function demand<T>(
  session: Session,
  table: RecordTable<T>,
  key: { scope: Scope; id: string },
): Promise<T> {
  const record = await getRecord(session, table, { scope: key.scope, value: key.id })
  if (record === null) throw notFound(table.noun.noun, key.id)
  return record
}

async function checkReferences<T extends object>(
  session: Session,
  table: RecordTable<T>,
  record: T,
): Promise<void> {
  const organizationId = fieldOf(record, 'organizationId')
  for (const reference of table.noun.references) {
    const id = fieldOf(record, reference.field)
    if (typeof id !== 'string') continue
    let query = session.db.selectFrom(reference.table).select('id').where('id', '=', id)
    if (reference.table !== 'organizations') {
      query = query.where('organization_id', '=', String(organizationId))
    }
    if ((await query.executeTakeFirst()) === undefined) throw notFound(reference.noun, id)
  }
}

async function checkUnused<T extends object>(
  session: Session,
  table: RecordTable<T>,
  record: T,
): Promise<void> {
  const organizationId = fieldOf(record, 'organizationId')
  for (const user of table.noun.usedBy) {
    let query = session.db
      .selectFrom(user.table)
      .selectAll()
      .where(user.column, '=', String(fieldOf(record, user.field)))
    if (typeof organizationId === 'string') query = query.where('organization_id', '=', organizationId)
    const row = await query.limit(1).executeTakeFirst()
    if (row === undefined) continue
    throw new Fault(faults.inUse, {
      public: { noun: table.noun.noun, user: `${user.noun} ${String(row[user.label])}` },
    })
  }
}

function onWrite<T extends object>(table: RecordTable<T>, record: T): (kind: SqlErrorKind) => Fault | null {
  const { noun, name } = table.noun
  return (kind) => {
    if (kind === 'unique')
      return conflict(noun, table.hooks.nameOf?.(record) ?? String(fieldOf(record, name)))
    return kind === 'foreign-key' ? notFound('object', `that this ${noun} refers to`) : null
  }
}

/** Checks, version and whole row of a record about to be written. */
async function prepare<T extends Identified>(session: Session, table: RecordTable<T>, record: T) {
  await checkReferences(session, table, record)
  await table.hooks.beforeWrite?.(session, record)
  const version = await session.bump(table.noun.change)
  return { ...table.codec.encode(record), ...table.hooks.columns?.(record, version) }
}

export function createRecord<T extends Identified>(
  session: Session,
  table: RecordTable<T>,
  record: T,
): Promise<T> {
  return session.atomically(async (current) => {
    const row = await prepare(current, table, record)
    const statement = current.db.insertInto(table.noun.table).values(row)
    await current.run(() => statement.execute(), onWrite(table, record))
    await table.hooks.afterWrite?.(current, record)
    return record
  })
}

export function updateRecord<T extends Identified, Patch>(
  session: Session,
  table: RecordTable<T>,
  terms: { readonly scope: Scope; readonly id: string; readonly change: Change<Patch> },
): Promise<T> {
  const { scope, id, change } = terms
  const stale = () => new Fault(faults.staleUpdate, { public: { noun: table.noun.noun } })
  return session.atomically(async (current) => {
    const before = await demand(current, table, { scope, id })
    const readAt = Number(fieldOf(before, 'updatedAt'))
    if (change.expectedUpdatedAt !== undefined && change.expectedUpdatedAt !== readAt) throw stale()
    const fixed: Record<string, unknown> = {
      id: before.id,
      createdAt: before.createdAt,
      updatedAt: Math.max(change.now, readAt + 1),
    }
    if ('organizationId' in before) fixed['organizationId'] = before.organizationId
    const after: T = { ...before, ...change.patch, ...fixed }
    const row = await prepare(current, table, after)
    let statement = current.db.updateTable(table.noun.table).set(row).where('id', '=', id)
    for (const [column, value] of scopeOf(table.noun, scope)) statement = statement.where(column, '=', value)
    const result = await current.run(
      () => statement.where('updated_at', '=', readAt).executeTakeFirst(),
      onWrite(table, after),
    )
    if (result.numUpdatedRows !== 1n) throw stale()
    await table.hooks.afterWrite?.(current, after)
    return after
  })
}

export function removeRecord<T extends Identified>(
  session: Session,
  table: RecordTable<T>,
  key: { readonly scope: Scope; readonly id: string },
): Promise<void> {
  return session.atomically(async (current) => {
    const record = await demand(current, table, key)
    await checkUnused(current, table, record)
    const version = await current.bump(table.noun.change)
    await table.hooks.beforeRemove?.(current, { record, version })
    let statement = current.db.deleteFrom(table.noun.table).where('id', '=', key.id)
    for (const [column, value] of scopeOf(table.noun, key.scope))
      statement = statement.where(column, '=', value)
    const inUse = new Fault(faults.inUse, { public: { noun: table.noun.noun, user: 'another object' } })
    await current.run(
      () => statement.execute(),
      (kind) => (kind === 'foreign-key' ? inUse : null),
    )
  })
}
