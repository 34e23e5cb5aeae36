/** Usage by API product. What was summed before is of no product that is known: the empty one. */
import type { Database } from './database.ts'

export async function addUsageProducts(db: Database): Promise<void> {
  await db.schema
    .alterTable('usage_series')
    .addColumn('product_id', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
}
