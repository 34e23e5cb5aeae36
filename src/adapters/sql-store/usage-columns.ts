/** The columns of the usage rollups, named once for the schema, the writer and the queries. */

import { latencyBoundsMs, usageSumFields } from '../../ports/usage-store.ts'
import { columnName } from './columns.ts'

export const usageSums = usageSumFields.map((field) => ({ field, column: columnName(field) }))

/** One column per bound and one for everything above the last. */
export const latencyBuckets: readonly string[] = Array.from(
  { length: latencyBoundsMs.length + 1 },
  (_, index) => `latency_${index}`,
)
