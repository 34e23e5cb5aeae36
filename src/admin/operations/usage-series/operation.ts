import { defineOperation } from '../../operation.ts'
import { collectionParams } from '../../resource.ts'
import { queryUsage, usageInterval, usageRange, usageTable, usageTop } from '../../resources/usage.ts'
import { closed } from '../../schemas.ts'

export const usageSeries = defineOperation({
  tag: 'usage',
  summary: 'Usage over time',
  description: 'One row per interval and group, by time. Intervals without requests have no row.',
  params: collectionParams,
  query: closed({ ...usageRange, interval: usageInterval, top: usageTop }),
  success: { status: 200, description: 'The sums by interval.', schema: usageTable },
  faults: ['objectNotFound', 'validation'],
  run: (ctx, { params, query }) => queryUsage(ctx, { ...query, organization: params.organization }),
})
