/** Key policies, and what is known of keys beyond their record: quarantine, reports of leaks, what was told of them. */
import type { Database } from './database.ts'

export async function addKeyPolicies(db: Database): Promise<void> {
  for (const table of ['organizations', 'applications']) {
    await db.schema
      .alterTable(table)
      .addColumn('key_policy', 'text', (column) => column.notNull().defaultTo('{}'))
      .execute()
  }
  await db.schema.alterTable('api_keys').addColumn('quarantine', 'text').execute()
  await db.schema
    .alterTable('api_keys')
    .addColumn('leaks', 'text', (column) => column.notNull().defaultTo('[]'))
    .execute()
  // What the owner was told last, and of which secret: `overdue 3`.
  await db.schema.alterTable('api_keys').addColumn('notice', 'text').execute()
}
