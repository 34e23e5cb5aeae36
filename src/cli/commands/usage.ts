/** `gatewright usage`: tokens, cost and latency, as a table, CSV or JSON. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { CliFailure } from '../cli-failure.ts'
import { defineCommand, runs } from '../define-command.ts'
import { parseMoment } from '../durations.ts'
import { type CliIo, type Session, take } from '../session.ts'
import { type Column, formatTable, formatTime } from '../table.ts'

type UsageRow = components['schemas']['UsageRow']
type Dimension = keyof UsageRow['group'] & string

/** Words of the command line and the dimensions they mean. */
const dimensions: Readonly<Record<string, Dimension>> = {
  model: 'model',
  served: 'servedModel',
  key: 'keyId',
  app: 'applicationId',
  operation: 'operation',
  provider: 'providerId',
  deployment: 'deploymentId',
  product: 'productId',
  status: 'statusClass',
}

interface UsageOptions {
  readonly by: string
  readonly since: string
  readonly interval?: 'minute' | 'hour' | 'day'
  readonly resolution?: 'auto' | 'minute' | 'hour' | 'day'
  readonly top?: string
  readonly csv?: boolean
  readonly records?: boolean
}

/** Rows of a time line that one answer may hold. */
const mostRows = 10_000
const intervals: ReadonlySet<string> = new Set(['minute', 'hour', 'day'])

function resolutionOf({ resolution = 'auto' }: UsageOptions) {
  if (resolution === 'auto' || intervals.has(resolution)) return resolution
  throw new CliFailure('usage', `${resolution} is no length of sums.`, 'Write auto, minute, hour or day.')
}

/** Of a table the first rows are the groups with most requests; of a time line they are to be found first. */
function limitOf({ top, interval, csv }: UsageOptions): { readonly limit?: number; readonly top?: number } {
  if (top === undefined) return {}
  if (!/^[1-9]\d?$|^100$/.test(top)) throw new CliFailure('usage', '--top takes a number up to 100.')
  return interval === undefined && csv !== true ? { limit: Number(top) } : { top: Number(top) }
}

function parseBy(text: string): Dimension[] {
  return text.split(',').map((word) => {
    const dimension = Object.hasOwn(dimensions, word) ? dimensions[word] : undefined
    if (dimension === undefined) {
      throw new CliFailure(
        'usage',
        `Usage cannot be grouped by ${word}.`,
        `Known are ${Object.keys(dimensions).join(', ')}.`,
      )
    }
    return dimension
  })
}

/** Quantiles are bounds of histogram buckets, so they read as "at most". */
const latency = (milliseconds: number | null): string => (milliseconds === null ? '–' : `≤ ${milliseconds}`)
const count = new Intl.NumberFormat('en-US')

function columnsFor(by: readonly Dimension[], series: boolean): Column<UsageRow>[] {
  const time: Column<UsageRow> = { head: 'Time (UTC)', text: (row) => formatTime(row.time) }
  const right = { align: 'right' } as const
  return [
    ...(series ? [time] : []),
    ...by.map((name): Column<UsageRow> => ({ head: name, text: (row) => String(row.group[name] ?? '–') })),
    { ...right, head: 'Requests', text: (row) => count.format(row.requests) },
    { ...right, head: 'Errors', text: (row) => count.format(row.errors) },
    { ...right, head: 'Input', text: (row) => count.format(row.inputTokens) },
    { ...right, head: 'Cached', text: (row) => count.format(row.cachedInputTokens) },
    { ...right, head: 'Output', text: (row) => count.format(row.outputTokens) },
    {
      ...right,
      head: 'Cost USD',
      text: (row) => (row.unpriced === row.requests ? '–' : row.costUsd.toFixed(4)),
    },
    { ...right, head: 'p50 ms', text: (row) => latency(row.p50Ms) },
    { ...right, head: 'p95 ms', text: (row) => latency(row.p95Ms) },
  ]
}

function notes(rows: readonly UsageRow[]): string {
  const total = (pick: (row: UsageRow) => number): number => rows.reduce((sum, row) => sum + pick(row), 0)
  const estimated = total((row) => row.estimated)
  const unpriced = total((row) => row.unpriced)
  const lines = [
    estimated > 0
      ? `Tokens of ${count.format(estimated)} requests are estimates: the provider gave none.\n`
      : '',
    unpriced > 0 ? `${count.format(unpriced)} requests have no known price.\n` : '',
  ]
  return lines.some((line) => line !== '') ? `\n${lines.join('')}` : ''
}

const more = (truncated: boolean): string =>
  truncated ? '\nThere are more rows: ask for less time, for --top groups, or for --csv.\n' : ''

const base = '/api/v1/organizations/{organization}/usage'

async function writeCsv(session: Session, options: UsageOptions): Promise<void> {
  const organization = await session.organization()
  const query = {
    format: 'csv' as const,
    from: sinceOf(options, session.io),
    groupBy: parseBy(options.by).join(','),
    resolution: resolutionOf(options),
    ...limitOf(options),
    ...(options.interval === undefined ? {} : { interval: options.interval }),
  }
  const params = { path: { organization }, query }
  session.io.out(await take<string>(session.client.GET(`${base}/export`, { params, parseAs: 'text' })))
}

/** Single records: CSV with `--csv`, else one JSON object per line. */
async function writeRecords(session: Session, options: UsageOptions): Promise<void> {
  const organization = await session.organization()
  const format = options.csv === true ? ('csv' as const) : ('jsonl' as const)
  const params = { path: { organization }, query: { format, from: sinceOf(options, session.io) } }
  const { data, error, response } = await session.client.GET(`${base}/records`, { params, parseAs: 'stream' })
  if (data === null || data === undefined) return void (await take(Promise.resolve({ error, response })))
  const decoder = new TextDecoder()
  for await (const chunk of data) session.io.out(decoder.decode(chunk, { stream: true }))
}

/** `--since 24h` or `--since 2026-11-01`. */
function sinceOf({ since }: UsageOptions, io: CliIo): number {
  const now = io.now()
  const moment = parseMoment(since, now)
  return moment > now ? now - (moment - now) : moment
}

async function showUsage(session: Session, options: UsageOptions): Promise<void> {
  const by = parseBy(options.by)
  const path = { organization: await session.organization() }
  const query = {
    from: sinceOf(options, session.io),
    groupBy: by.join(','),
    resolution: resolutionOf(options),
    ...limitOf(options),
  }
  const { interval } = options
  const table =
    interval === undefined
      ? await take(session.client.GET(`${base}/summary`, { params: { path, query } }))
      : await take(
          session.client.GET(`${base}/series`, {
            params: { path, query: { limit: mostRows, ...query, interval } },
          }),
        )
  const columns = columnsFor(by, interval !== undefined)
  session.show(
    table,
    ({ rows, truncated }) =>
      formatTable(rows, columns, 'No request in this time.') + notes(rows) + more(truncated),
  )
}

export function addUsage(program: Command, io: CliIo): void {
  const command = defineCommand(program, {
    name: 'usage',
    summary: 'Show tokens, cost and latency',
    examples: [
      ['gatewright usage', 'The last 24 hours by model'],
      ['gatewright usage --by app,model --since 30d', 'A month by application and model'],
      ['gatewright usage --by key --since 90d --top 10', 'The ten keys with most requests'],
      ['gatewright usage --records --since 1h', 'Every request of the last hour as JSON lines'],
      [
        'gatewright usage --by product --since 90d --interval day --top 5',
        'The five products with most requests, by day',
      ],
      ['gatewright usage --interval day --since 7d --csv > week.csv', 'For a spreadsheet'],
    ],
  })
    .option('--by <words>', `group by, comma-separated: ${Object.keys(dimensions).join(', ')}`, 'model')
    .option('--since <when>', 'from a duration ago (24h, 30d) or a date on', '24h')
    .option('--interval <length>', 'one row per minute, hour or day')
    .option('--top <count>', 'only the groups with most requests over the whole time, up to 100')
    .option('--resolution <length>', 'read only sums by minute, hour or day', 'auto')
    .option('--csv', 'write CSV')
    .option('--records', 'write every single request: JSON lines, or CSV with --csv')
  runs<UsageOptions>(command, io, async ({ session, options }) => {
    if (options.interval !== undefined && !intervals.has(options.interval)) {
      throw new CliFailure('usage', `${options.interval} is not an interval.`, 'Write minute, hour or day.')
    }
    if (options.records === true) return writeRecords(session, options)
    await (options.csv === true ? writeCsv(session, options) : showUsage(session, options))
  })
}
