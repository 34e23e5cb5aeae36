/** What nodes show each other of their audit logs. */
import type { CreateTableBuilder } from 'kysely'
import type { Database } from './database.ts'

export async function addAuditCheckpoints(db: Database): Promise<void> {
  let table: CreateTableBuilder<string, string> = db.schema.createTable('audit_checkpoints')
  for (const name of ['keeper', 'log', 'note', 'keys', 'offers'])
    table = table.addColumn(name, 'text', (column) => column.notNull())
  await table.addPrimaryKeyConstraint('audit_checkpoints_once', ['keeper', 'log']).execute()
}
