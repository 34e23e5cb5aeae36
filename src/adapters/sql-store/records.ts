/** The operations of one noun bound to a session. Scope null stands for nouns without one, or for all. */
import type { Page, PageQuery } from '../../ports/store.ts'
import { getRecord, listRecords } from './record-reads.ts'
import type { Identified, RecordTable, Scope } from './record-table.ts'
import { type Change, createRecord, removeRecord, updateRecord } from './record-writes.ts'
import type { Session } from './session.ts'

export interface Records<T, Patch, Filter> {
  create(record: T): Promise<T>
  get(scope: Scope, id: string): Promise<T | null>
  find(scope: Scope, name: string): Promise<T | null>
  list(scope: Scope, query?: Filter & PageQuery): Promise<Page<T>>
  update(scope: Scope, id: string, change: Change<Patch>): Promise<T>
  remove(scope: Scope, id: string): Promise<void>
}

export function createRecords<T extends Identified, Patch, Filter>(
  session: Session,
  table: RecordTable<T>,
): Records<T, Patch, Filter> {
  return {
    create: (record) => createRecord(session, table, record),
    get: (scope, id) => getRecord(session, table, { scope, value: id }),
    find: (scope, name) => getRecord(session, table, { scope, field: table.noun.name, value: name }),
    list: (scope, query) => listRecords(session, table, { scope, query }),
    update: (scope, id, change) => updateRecord(session, table, { scope, id, change }),
    remove: (scope, id) => removeRecord(session, table, { scope, id }),
  }
}
