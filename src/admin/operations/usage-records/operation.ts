import { exportUsage } from '../../../usage/index.ts'
import { notFound, openOrganization, openRecord } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { collectionParams } from '../../resource.ts'
import { recordFormat, resolveRange, usageRange } from '../../resources/usage.ts'
import { closed, optionalReference } from '../../schemas.ts'
import { exportFormats } from '../../usage-export.ts'

export const usageRecords = defineOperation({
  tag: 'usage',
  summary: 'Export single usage records as CSV or JSON lines',
  description:
    'One row per request, as long as the log keeps them (usage.retentionDays). Names and figures only: content is never part of it.',
  params: collectionParams,
  query: closed({
    from: usageRange.from,
    to: usageRange.to,
    application: optionalReference('application'),
    format: recordFormat,
  }),
  success: {
    status: 200,
    description: 'The records.',
    contentTypes: Object.values(exportFormats).map((format) => format.contentType),
  },
  faults: ['objectNotFound'],
  async run(ctx, { params, query }) {
    const organization = await openOrganization(ctx, params.organization)
    const { usageLog, store, clock } = ctx.deps
    if (usageLog === undefined) throw notFound('usage log', 'here')
    const { from, to } = resolveRange(query, clock.now())
    const { format, application: reference } = query
    const wanted = { noun: 'application', organizationId: organization.id }
    const application =
      reference === undefined ? null : await openRecord(store.applications, { ...wanted, reference })
    const terms = { organizationId: organization.id, from, to, format }
    return {
      contentType: exportFormats[format].contentType,
      fileName: `usage-records-${organization.slug}.${format}`,
      body: exportUsage(usageLog, application === null ? terms : { ...terms, applicationId: application.id }),
    }
  },
})
