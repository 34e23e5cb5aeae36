/** Guards, one row each; they go before their organization can. */
import type { ColumnDefinitionBuilder } from 'kysely'
import type { Database } from './database.ts'

const notNull = (column: ColumnDefinitionBuilder) => column.notNull()
const texts = [
  'managed_by',
  'detector',
  'places',
  'threshold',
  'action',
  'mode',
  'streaming',
  'on_failure',
  'match',
] as const

export async function addGuards(db: Database): Promise<void> {
  let table = db.schema
    .createTable('guards')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('created_at', 'bigint', notNull)
    .addColumn('updated_at', 'bigint', notNull)
    .addColumn('organization_id', 'text', notNull)
    .addColumn('name', 'text', notNull)
    .addColumn('rules', 'text')
  for (const name of texts) table = table.addColumn(name, 'text', notNull)
  await table
    .addForeignKeyConstraint('guards_organization', ['organization_id'], 'organizations', ['id'])
    .addUniqueConstraint('guards_in_organization', ['organization_id', 'id'])
    .addUniqueConstraint('guards_name', ['organization_id', 'name'])
    .execute()
  const listed = ['organization_id', 'created_at', 'id']
  await db.schema.createIndex('guards_listing').on('guards').columns(listed).execute()
}
