import { Type } from 'typebox'
import { openOrganization } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { collectionParams } from '../../resource.ts'
import { recordFormat, resolveRange, usageInterval, usageRange } from '../../resources/usage.ts'
import { closed } from '../../schemas.ts'
import { exportFormats, exportUsage } from '../../usage-export.ts'

export const usageExport = defineOperation({
  tag: 'usage',
  summary: 'Export usage as CSV or JSON lines',
  description:
    'Every row of the range, written as it is read; without an interval one row per group, whose time is the start of ' +
    'the range. Times are ISO 8601 in UTC, cost is in US dollars.',
  params: collectionParams,
  query: closed({
    from: usageRange.from,
    to: usageRange.to,
    groupBy: usageRange.groupBy,
    resolution: usageRange.resolution,
    interval: Type.Optional(usageInterval),
    format: recordFormat,
  }),
  success: {
    status: 200,
    description: 'The rows.',
    contentTypes: Object.values(exportFormats).map((format) => format.contentType),
  },
  faults: ['objectNotFound', 'validation'],
  async run(ctx, { params, query }) {
    const organization = await openOrganization(ctx, params.organization)
    const range = resolveRange(query, ctx.deps.clock.now())
    const format = exportFormats[query.format]
    return {
      contentType: format.contentType,
      fileName: `usage-${organization.slug}.${query.format}`,
      body: exportUsage({
        usage: ctx.deps.usage,
        organizationId: organization.id,
        range,
        interval: query.interval ?? null,
        format,
      }),
    }
  },
})
