import { Type } from 'typebox'
import { checkUsageInterval, usageTopGroups } from '../../../usage/index.ts'
import { openOrganization } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { collectionParams } from '../../resource.ts'
import {
  intervalOf,
  recordFormat,
  resolveRange,
  usageInterval,
  usageRange,
  usageTop,
} from '../../resources/usage.ts'
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
    top: usageTop,
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
    const { usage } = ctx.deps
    const { interval = null, top } = query
    // Before the first byte: what is refused then has a status.
    checkUsageInterval(interval === null ? null : intervalOf(interval), range.resolution)
    const question = { organizationId: organization.id, ...range }
    const groups = top === undefined ? null : await usageTopGroups(usage, question, top)
    return {
      contentType: format.contentType,
      fileName: `usage-${organization.slug}.${query.format}`,
      body: exportUsage({
        usage,
        organizationId: organization.id,
        range,
        interval,
        groups,
        format,
      }),
    }
  },
})
