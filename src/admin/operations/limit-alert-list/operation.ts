import type { PageQuery } from '../../../ports/store.ts'
import { openOrganization } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { collectionParams } from '../../resource.ts'
import { limitAlert, showLimitAlert } from '../../resources/limit-alerts.ts'
import { closed, pageOf, pageQuery } from '../../schemas.ts'

export const limitAlertList = defineOperation({
  tag: 'limits',
  summary: 'List alerts of limits, the newest first',
  description:
    'One for each share of `alertsAt` that a counter has passed, once per period. They are kept for 90 days.',
  params: collectionParams,
  query: closed(pageQuery),
  success: { status: 200, description: 'A page of alerts.', schema: pageOf(limitAlert) },
  faults: ['objectNotFound', 'validation'],
  async run(ctx, { params, query }) {
    const organization = await openOrganization(ctx, params.organization)
    const page = await ctx.deps.alerts.list(organization.id, query as PageQuery)
    return { items: page.items.map(showLimitAlert), next: page.next }
  },
})
