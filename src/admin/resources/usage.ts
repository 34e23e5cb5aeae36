/** Usage as the API shows it: sums by minute rolled up by group and interval, with latency as quantiles. */
import { type Static, Type } from 'typebox'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import {
  type UsageDimensions,
  type UsageResolution,
  type UsageRow,
  usageDimensionFields,
  usageResolutionMs,
  usageResolutions,
  usageRowLimit,
} from '../../ports/usage-store.ts'
import { latencyQuantile, maxTopGroups, usageSeries, usageSummary } from '../../usage/index.ts'
import { openOrganization } from '../access.ts'
import type { AdminContext } from '../context.ts'
import { closed, named, nullable, oneOf, time } from '../schemas.ts'

const text = (description: string) => Type.Optional(Type.String({ description, maxLength: 200 }))

export const usageRange = {
  from: Type.Optional(
    Type.Integer({
      description: 'Start, Unix milliseconds; 24 hours before `to` when left out.',
      minimum: 0,
    }),
  ),
  to: Type.Optional(
    Type.Integer({ description: 'End, exclusive, Unix milliseconds; now when left out.', minimum: 0 }),
  ),
  groupBy: Type.Optional(
    Type.String({
      description: `Comma-separated: ${usageDimensionFields.join(', ')}.`,
      pattern: '^[A-Za-z]+(,[A-Za-z]+)*$',
      maxLength: 200,
    }),
  ),
  applicationId: text('Of this application only.'),
  keyId: text('Of this key id only.'),
  model: text('For this model name only.'),
  operation: text('Of this operation only.'),
  providerId: text('Served by this provider only.'),
  deploymentId: text('Served by this deployment only.'),
  productId: text('Let in by a subscription to this API product only.'),
  resolution: Type.Optional(
    oneOf(
      ['auto', ...usageResolutions],
      'Which stored sums answer: `auto` takes the coarsest that answer exactly; another is read alone, and the time widened to whole ones of it.',
    ),
  ),
  limit: Type.Optional(
    Type.Integer({ description: 'Most rows.', minimum: 1, maximum: usageRowLimit, default: 1000 }),
  ),
}

export const usageTop = Type.Optional(
  Type.Integer({
    description: 'Only so many groups: those with most requests over the whole time.',
    minimum: 1,
    maximum: maxTopGroups,
  }),
)

export const recordFormat = oneOf(['csv', 'jsonl'], 'RFC 4180, or one JSON object per line.')

export const usageInterval = oneOf(['minute', 'hour', 'day'], 'Length of one interval (days in UTC).')
export type UsageInterval = Static<typeof usageInterval>

const intervalMs: Readonly<Record<UsageInterval, number>> = usageResolutionMs

const sum = (description: string) => Type.Integer({ description, minimum: 0 })
const quantile = nullable(
  Type.Number({ minimum: 0 }),
  'Upper bound of the histogram bucket that holds the quantile, milliseconds; null: without requests or above all bounds.',
)

const usageRow = named(
  'UsageRow',
  {
    time,
    group: Type.Partial(
      closed({
        organizationId: Type.String(),
        applicationId: Type.String(),
        keyId: Type.String(),
        operation: Type.String(),
        model: Type.String(),
        servedModel: Type.String(),
        providerId: Type.String(),
        deploymentId: Type.String(),
        productId: Type.String(),
        statusClass: Type.Integer(),
      }),
    ),
    requests: sum('Requests.'),
    errors: sum('Requests that were not completed.'),
    inputTokens: sum('Input tokens, cached ones included.'),
    outputTokens: sum('Output tokens, reasoning included.'),
    cachedInputTokens: sum("Input tokens read from the provider's cache."),
    cacheWriteTokens: sum("Input tokens written to the provider's cache."),
    reasoningTokens: sum('Output tokens spent on reasoning.'),
    estimated: sum('Requests whose tokens were estimated.'),
    unpriced: sum('Requests without a known price.'),
    costUsd: Type.Number({ description: 'US dollars, of priced requests.', minimum: 0 }),
    meanDurationMs: nullable(Type.Number({ minimum: 0 }), 'Mean duration, milliseconds.'),
    p50Ms: quantile,
    p95Ms: quantile,
    p99Ms: quantile,
  },
  'Sums of one group and interval.',
)
export type ShownUsageRow = Static<typeof usageRow>

export const usageTable = closed({
  from: time,
  to: time,
  resolutions: Type.Array(oneOf(usageResolutions, 'Length of a stored sum.'), {
    description: 'Which stored sums were read.',
  }),
  rows: Type.Array(usageRow),
  truncated: Type.Boolean({ description: 'There were more rows than `limit`.' }),
})

export interface UsageRange {
  readonly from: number
  readonly to: number
  readonly groupBy: readonly (keyof UsageDimensions)[]
  readonly resolution: UsageResolution | 'auto'
}

interface GivenRange {
  readonly from?: number
  readonly to?: number
  readonly groupBy?: string
  readonly resolution?: UsageResolution | 'auto'
}

function invalid(field: string, reason: string): Fault {
  return new Fault(faults.invalidField, { public: { field, reason }, param: field })
}

const dimensionNames: ReadonlySet<string> = new Set(usageDimensionFields)

function isDimension(name: string): name is keyof UsageDimensions {
  return dimensionNames.has(name)
}

/** Fill in the defaults. @throws Fault where the range is empty or a dimension unknown */
export function resolveRange(given: GivenRange, now: number): UsageRange {
  const to = given.to ?? now
  const from = given.from ?? to - intervalMs.day
  if (from >= to) throw invalid('from', 'it must be before `to`')
  const names = given.groupBy === undefined ? [] : [...new Set(given.groupBy.split(','))]
  const groupBy = names.filter(isDimension)
  if (groupBy.length < names.length) throw invalid('groupBy', `known are ${usageDimensionFields.join(', ')}`)
  return { from, to, groupBy, resolution: given.resolution ?? 'auto' }
}

/** Milliseconds, or null where nothing can be said. */
function quantileOf(row: UsageRow, quantile: number): number | null {
  const value = latencyQuantile(row.latency, quantile)
  return value === null || !Number.isFinite(value) ? null : value
}

export function showUsageRow(row: UsageRow): ShownUsageRow {
  const { costMicroUsd, durationMs, ...sums } = row.sums
  return {
    time: row.time,
    group: row.group,
    ...sums,
    costUsd: costMicroUsd / 1e6,
    meanDurationMs: sums.requests === 0 ? null : Math.round(durationMs / sums.requests),
    p50Ms: quantileOf(row, 0.5),
    p95Ms: quantileOf(row, 0.95),
    p99Ms: quantileOf(row, 0.99),
  }
}

const filterNames = [
  'applicationId',
  'keyId',
  'model',
  'operation',
  'providerId',
  'deploymentId',
  'productId',
] as const

type UsageRequest = GivenRange & {
  readonly top?: number
} & {
  readonly [K in (typeof filterNames)[number]]?: string
} & { readonly organization: string; readonly interval: UsageInterval | null; readonly limit?: number }

export function intervalOf(interval: UsageInterval): number {
  return intervalMs[interval]
}

/** Rows of one organization as the caller asked for them. */
export async function queryUsage(ctx: AdminContext, asked: UsageRequest): Promise<Static<typeof usageTable>> {
  const organization = await openOrganization(ctx, asked.organization)
  const range = resolveRange(asked, ctx.deps.clock.now())
  const given = filterNames.filter((name) => asked[name] !== undefined)
  const question = {
    organizationId: organization.id,
    ...range,
    filter: Object.fromEntries(given.map((name) => [name, asked[name]])),
    limit: asked.limit ?? 1000,
  }
  const { usage } = ctx.deps
  const result = await (asked.interval === null
    ? usageSummary(usage, question)
    : usageSeries(usage, { ...question, intervalMs: intervalMs[asked.interval], top: asked.top ?? null }))
  const { from, to, resolutions, rows, truncated } = result
  return { from, to, resolutions: [...resolutions], rows: rows.map(showUsageRow), truncated }
}
