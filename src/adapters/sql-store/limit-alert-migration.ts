/** Alerts of limits. They outlive the limit that they tell of, and go with their organization. */
import type { ColumnDefinitionBuilder } from 'kysely'
import type { Database } from './database.ts'

const notNull = (column: ColumnDefinitionBuilder) => column.notNull()
const texts = ['limit_id', 'limit_name', 'meter', 'per', 'subject'] as const
const integers = ['period_starts_at', 'amount', 'used', 'at'] as const

export async function addLimitAlerts(db: Database): Promise<void> {
  let table = db.schema
    .createTable('limit_alerts')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('organization_id', 'text', notNull)
    .addColumn('fingerprint', 'text', notNull)
    .addColumn('threshold', 'double precision', notNull)
  for (const name of texts) table = table.addColumn(name, 'text', notNull)
  for (const name of integers) table = table.addColumn(name, 'bigint', notNull)
  await table
    .addUniqueConstraint('limit_alerts_once', ['fingerprint'])
    .addForeignKeyConstraint(
      'limit_alerts_organization',
      ['organization_id'],
      'organizations',
      ['id'],
      (key) => key.onDelete('cascade'),
    )
    .execute()
  const listed = ['organization_id', 'at', 'id']
  await db.schema.createIndex('limit_alerts_listing').on('limit_alerts').columns(listed).execute()
  await db.schema.createIndex('limit_alerts_age').on('limit_alerts').column('at').execute()
}
