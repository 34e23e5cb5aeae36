/** The columns of the usage rollups, named once for the schema, the writer and the queries. */

import { latencyBoundsMs, type UsageResolution, usageSumFields } from '../../ports/usage-store.ts'
import { columnName } from './columns.ts'

export const usageSums = usageSumFields.map((field) => ({ field, column: columnName(field) }))

/** One column per bound and one for everything above the last. */
export const latencyBuckets: readonly string[] = Array.from(
  { length: latencyBoundsMs.length + 1 },
  (_, index) => `latency_${index}`,
)

/** Where the sums of each resolution are, and the column of their start. */
export const usageTables: Readonly<
  Record<UsageResolution, { readonly table: string; readonly time: string }>
> = Object.freeze({
  minute: { table: 'usage_minutes', time: 'minute' },
  hour: { table: 'usage_hours', time: 'hour' },
  day: { table: 'usage_days', time: 'day' },
})

export const usageSumColumns: readonly string[] = [
  ...usageSums.map(({ column }) => column),
  ...latencyBuckets,
]
