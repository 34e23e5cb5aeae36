/**
 * What is promised, as recording rules: per objective the share of requests that missed it, over the windows that the
 * alerts on burn rates read. The files under deploy/prometheus/ are generated from here and from the tables beside it.
 */

export interface RecordingRule {
  readonly record: string
  readonly expr: string
}

/** A service level objective. */
export interface Objective {
  readonly id: 'availability' | 'first_token' | 'overhead'
  /** Part of alert names. */
  readonly name: string
  /** Share that must be good. */
  readonly target: number
  readonly promise: string
  /** Share that was not, over the window `w`. */
  readonly errorRatio: (w: string) => string
}

/** Slower than the bucket `le`; nothing to show where there was no traffic. */
const slower = (metric: string, le: string) => (w: string) =>
  `1 - sum(rate(${metric}_bucket{le="${le}"}[${w}])) / sum(rate(${metric}_count[${w}]))`

const httpCount = 'http_server_request_duration_seconds_count'

export const objectives: readonly Objective[] = Object.freeze([
  {
    id: 'availability',
    name: 'Availability',
    target: 0.999,
    promise: '99.9 % of requests are not failed by the gateway itself (5xx that are no provider’s)',
    errorRatio: (w) =>
      `(sum(rate(${httpCount}{http_response_status_code=~"5..",error_type!~"upstream[.].*"}[${w}])) or vector(0)) / sum(rate(${httpCount}[${w}]))`,
  },
  {
    id: 'first_token',
    name: 'FirstToken',
    target: 0.95,
    promise: '95 % of streams begin within 2.5 s',
    errorRatio: slower('gatewright_time_to_first_token_seconds', '2.5'),
  },
  {
    id: 'overhead',
    name: 'Overhead',
    target: 0.99,
    promise: '99 % of requests reach the provider within 25 ms of their arrival',
    errorRatio: slower('gatewright_overhead_duration_seconds', '0.025'),
  },
])

/** Pairs of windows, both of which must burn: the long one says that it matters, the short one that it still does. */
export const burnPairs = Object.freeze([
  { long: '1h', short: '5m', factor: 14.4, severity: 'page' },
  { long: '6h', short: '30m', factor: 6, severity: 'page' },
  { long: '1d', short: '2h', factor: 3, severity: 'ticket' },
  { long: '3d', short: '6h', factor: 1, severity: 'ticket' },
] as const)

const windows = [...new Set(burnPairs.flatMap(({ long, short }) => [long, short]))]

/** Name of the rule that holds the error ratio of an objective. */
export function errorRatioRule(objective: Objective, window: string): string {
  return `gatewright:${objective.id}_errors:ratio_rate${window}`
}

const rate = (metric: string, by: string): string => `sum by (${by}) (rate(${metric}[5m]))`
const quantile = (share: number, metric: string, by: string): string =>
  `histogram_quantile(${share}, ${rate(`${metric}_bucket`, by === '' ? 'le' : `le, ${by}`)})`

/** What dashboards ask for often, summed once. */
const sums: readonly RecordingRule[] = [
  {
    record: 'gatewright:requests:rate5m',
    expr: rate('gatewright_requests_total', 'model, provider, outcome'),
  },
  { record: 'gatewright:tokens:rate5m', expr: rate('gatewright_tokens_total', 'model, provider, direction') },
  { record: 'gatewright:cost_usd:rate5m', expr: rate('gatewright_cost_usd_total', 'model, provider') },
  {
    record: 'gatewright:request_duration_seconds:p95_5m',
    expr: quantile(0.95, 'gatewright_request_duration_seconds', 'model'),
  },
  {
    record: 'gatewright:overhead_duration_seconds:p99_5m',
    expr: quantile(0.99, 'gatewright_overhead_duration_seconds', ''),
  },
]

export const recordingRules: readonly RecordingRule[] = Object.freeze([
  ...sums,
  ...objectives.flatMap((objective) =>
    windows.map((window) => ({
      record: errorRatioRule(objective, window),
      expr: objective.errorRatio(window),
    })),
  ),
])
