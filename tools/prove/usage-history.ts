/**
 * Sums of usage as months of traffic leave them, written straight into the tables: a hundred million requests in
 * minutes of writing. Organizations × applications × keys × models; a key uses some of the models, day and night
 * differ, a few in a hundred calls fail. Minutes exist for the last two days only, as the edges of a question need them.
 */
import type { Database, Row } from '../../src/adapters/sql-store/database.ts'
import { usageSumColumns, usageTables } from '../../src/adapters/sql-store/usage-columns.ts'
import { type UsageResolution, usageResolutionMs } from '../../src/ports/usage-store.ts'

export interface HistoryShape {
  readonly organizations: number
  readonly applications: number
  readonly keys: number
  readonly models: number
  readonly days: number
  /** In all. */
  readonly requests: number
  /** Midnight at which the history ends. */
  readonly end: number
}

export const fullHistory: Omit<HistoryShape, 'end'> = {
  organizations: 10,
  applications: 5,
  keys: 2,
  models: 4,
  days: 90,
  requests: 100_000_000,
}

const rowsAtOnce = 100
const minuteDays = 1

export const organizationName = (index: number): string => `org_${String(index).padStart(22, '0')}`

function seriesOf(shape: HistoryShape): Row[] {
  const series: Row[] = []
  for (let organization = 0; organization < shape.organizations; organization += 1)
    for (let application = 0; application < shape.applications; application += 1)
      for (let key = 0; key < shape.keys; key += 1)
        for (let model = 0; model < shape.models; model += 1) {
          const place = `${organization}.${application}.${key}`
          series.push({
            id: `series-${place}.${model}`,
            organization_id: organizationName(organization),
            application_id: `app_${organization}.${application}`,
            key_id: `key_${place}`,
            operation: 'openai.chat.completions',
            model: `model-${model}`,
            served_model: `model-${model}-2026`,
            provider_id: `provider-${model % 3}`,
            deployment_id: `dep_${model}`,
            product_id: `prd_${application % 3}`,
            status_class: 2,
          })
        }
  return series
}

/** The sums of so many requests. */
function sumsOf(requests: number): Row {
  const row: Row = Object.fromEntries(usageSumColumns.map((column) => [column, 0]))
  return {
    ...row,
    requests,
    errors: Math.floor(requests / 50),
    input_tokens: requests * 900,
    output_tokens: requests * 250,
    cost_micro_usd: requests * 4200,
    duration_ms: requests * 800,
    latency_5: requests,
  }
}

/** Requests of one series in each hour: the same every day, half as many at night. */
function hourlyRequests(shape: HistoryShape, series: number): number[] {
  const perDay = shape.requests / shape.days / series
  return Array.from({ length: 24 }, (_, hour) => Math.round((perDay / 18) * (hour < 12 ? 0.5 : 1)))
}

async function insert(db: Database, table: string, rows: readonly Row[]): Promise<void> {
  for (let start = 0; start < rows.length; start += rowsAtOnce)
    await db
      .insertInto(table)
      .values(rows.slice(start, start + rowsAtOnce))
      .execute()
}

/** Writes the sums of one day; returns the requests that are in them. */
async function writeDay(db: Database, day: number, parts: { series: readonly Row[]; shape: HistoryShape }) {
  const { series, shape } = parts
  const hourly = hourlyRequests(shape, series.length)
  const daily = hourly.reduce((sum, each) => sum + each, 0)
  const rows: Record<UsageResolution, Row[]> = { minute: [], hour: [], day: [] }
  const put = (resolution: UsageResolution, own: Row, at: { time: number; requests: number }): void => {
    const { time } = usageTables[resolution]
    const key = { organization_id: own['organization_id'] ?? '', series_id: own['id'] ?? '' }
    rows[resolution].push({ ...key, [time]: at.time, ...sumsOf(at.requests) })
  }
  const withMinutes = day >= shape.end - minuteDays * usageResolutionMs.day
  for (const own of series) {
    put('day', own, { time: day, requests: daily })
    for (const [hour, requests] of hourly.entries()) {
      const time = day + hour * usageResolutionMs.hour
      put('hour', own, { time, requests })
      if (!withMinutes) continue
      const each = Math.floor(requests / 60)
      for (let minute = 0; minute < 60; minute += 1) {
        const own60 = minute === 0 ? requests - 59 * each : each
        if (own60 > 0) put('minute', own, { time: time + minute * usageResolutionMs.minute, requests: own60 })
      }
    }
  }
  await db.transaction().execute(async (transaction) => {
    for (const resolution of ['minute', 'hour', 'day'] as const)
      await insert(transaction, usageTables[resolution].table, rows[resolution])
  })
  return daily * series.length
}

/** Returns how many requests the sums stand for. */
export async function writeHistory(db: Database, shape: HistoryShape): Promise<number> {
  const series = seriesOf(shape)
  await insert(db, 'usage_series', series)
  let requests = 0
  for (let back = shape.days; back > 0; back -= 1) {
    const day = shape.end - back * usageResolutionMs.day
    requests += await writeDay(db, day, { series, shape })
  }
  return requests
}
