import { defineOperation } from '../../operation.ts'
import { collectionParams } from '../../resource.ts'
import { queryUsage, usageRange, usageTable } from '../../resources/usage.ts'
import { closed } from '../../schemas.ts'

export const usageSummary = defineOperation({
  tag: 'usage',
  summary: 'Sum up usage',
  description: 'One row per group over the whole range, most requests first.',
  params: collectionParams,
  query: closed(usageRange),
  success: { status: 200, description: 'The sums.', schema: usageTable },
  faults: ['objectNotFound', 'validation'],
  run: (ctx, { params, query }) =>
    queryUsage(ctx, { ...query, organization: params.organization, interval: null }),
})
