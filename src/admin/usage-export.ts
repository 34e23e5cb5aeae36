/**
 * Usage as a file, slice by slice: one query holds at most one slice of time, so that a year by the minute needs no
 * more memory than a day; without an interval it is one query. Bound: a slice of more than `usageRowLimit` rows ends the export with a failure rather
 * than leaving rows out.
 */
import { faults } from '../faults/catalogue.ts'
import { csvField } from '../kernel/csv-field.ts'
import { Fault } from '../kernel/fault.ts'
import { type UsageGroup, type UsageStore, usageRowLimit } from '../ports/usage-store.ts'
import {
  intervalOf,
  type ShownUsageRow,
  showUsageRow,
  type UsageInterval,
  type UsageRange,
} from './resources/usage.ts'

export interface ExportFormat {
  readonly contentType: string
  head(columns: readonly string[]): string
  row(values: ReadonlyMap<string, string | number | null>): string
}

export const exportFormats: Readonly<Record<'csv' | 'jsonl', ExportFormat>> = {
  csv: {
    contentType: 'text/csv; charset=utf-8',
    head: (columns) => `${columns.join(',')}\r\n`,
    row: (values) => `${[...values.values()].map(csvField).join(',')}\r\n`,
  },
  jsonl: {
    contentType: 'application/x-ndjson',
    head: () => '',
    row: (values) => `${JSON.stringify(Object.fromEntries(values))}\n`,
  },
}

const figures = [
  'requests',
  'errors',
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'estimated',
  'unpriced',
  'costUsd',
  'meanDurationMs',
  'p50Ms',
  'p95Ms',
  'p99Ms',
] as const satisfies readonly (keyof ShownUsageRow)[]

interface ExportOrder {
  readonly usage: UsageStore
  readonly organizationId: string
  readonly range: UsageRange
  /** Null: one row per group, whose time is the start of the range. */
  readonly interval: UsageInterval | null
  /** Only these groups; null: all. */
  readonly groups: readonly UsageGroup[] | null
  readonly format: ExportFormat
}

/** Intervals per query. */
const sliceIntervals = 60

export async function* exportUsage(order: ExportOrder): AsyncIterable<string> {
  const { range, format } = order
  const columns = ['time', ...range.groupBy, ...figures]
  yield format.head(columns)
  const intervalMs = order.interval === null ? null : intervalOf(order.interval)
  for (const { from, to } of slicesOf(range, intervalMs)) {
    const { rows, truncated } = await order.usage.query({
      organizationId: order.organizationId,
      from,
      to,
      groupBy: range.groupBy,
      filter: {},
      intervalMs,
      resolution: range.resolution,
      limit: usageRowLimit,
      ...(order.groups === null ? {} : { groups: order.groups }),
    })
    if (truncated) {
      throw new Fault(faults.validation, {
        public: { reason: 'too many groups for one export; group by less' },
      })
    }
    let text = ''
    for (const row of rows) text += format.row(valuesOf(showUsageRow(row), range))
    if (text !== '') yield text
  }
}

type Span = Pick<UsageRange, 'from' | 'to'>

function* slicesOf({ from, to }: Span, intervalMs: number | null): Iterable<Span> {
  if (intervalMs === null) return yield { from, to }
  const sliceMs = sliceIntervals * intervalMs
  const aligned = Math.floor(from / intervalMs) * intervalMs
  for (let start = aligned; start < to; start += sliceMs)
    yield { from: Math.max(start, from), to: Math.min(start + sliceMs, to) }
}

function valuesOf(row: ShownUsageRow, range: UsageRange): Map<string, string | number | null> {
  const values = new Map<string, string | number | null>([['time', new Date(row.time).toISOString()]])
  for (const name of range.groupBy) values.set(name, row.group[name] ?? null)
  for (const name of figures) values.set(name, row[name])
  return values
}
