/** Alerts on burn rates: how fast an objective's room for errors is used up (Google SRE workbook, chapter 5). */
import type { Alert, AlertGroup, Samples, Severity } from './alert.ts'
import { burnPairs, errorRatioRule, type Objective, objectives } from './slo-rules.ts'

interface Words {
  readonly fast: string
  readonly look: readonly string[]
  readonly act: readonly string[]
}

const words: Readonly<Record<Objective['id'], Words>> = {
  availability: {
    fast: 'Callers get 5xx that the gateway makes itself: overload, storage, shut-down, or a fault of ours.',
    look: [
      'Which error: `sum by (error_type) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5..",error_type!~"upstream[.].*"}[5m]))`; each has a page in docs/errors.',
      'Whether one node is worse than the others: the same, `sum by (instance)`.',
      'The log lines of the request ids that callers name, and `gatewright status` on the node.',
    ],
    act: [
      '`capacity.overloaded` or `capacity.too-many-connections`: add nodes or workers, or lower limits of the plans that cause it.',
      '`storage.unavailable` or `limits.unavailable`: bring the database or the counter store back; see their logs.',
      '`internal.unexpected`: keep the log line (it names class and place), go back to the release of before, and report it.',
    ],
  },
  first_token: {
    fast: 'People who read streams wait longer than promised for the first word.',
    look: [
      'Provider or gateway: compare `histogram_quantile(0.95, sum by (le, provider) (rate(gatewright_upstream_first_chunk_seconds_bucket[5m])))` with the overhead.',
      'Which model: `histogram_quantile(0.95, sum by (le, model) (rate(gatewright_time_to_first_token_seconds_bucket[5m])))`.',
      'Whether requests wait for limits first: `gatewright_queue_waiting_requests`.',
    ],
    act: [
      'A slow provider: put another target before it in the model route, or let the route hedge.',
      'Waits for limits: raise the limit, or shorten the wait of the plan.',
      'A slow gateway: follow GatewrightOverheadBurnFast.',
    ],
  },
  overhead: {
    fast: 'The gateway adds more time before the call of a provider than promised. Slow uploads, waits for limits and tries that failed before count, too.',
    look: [
      'Which stage: `histogram_quantile(0.99, sum by (le, stage) (rate(gatewright_request_stage_duration_seconds_bucket[5m])))`.',
      'Whether the event loop is late: `histogram_quantile(0.99, sum by (le) (rate(nodejs_eventloop_lag_seconds_bucket[5m])))`.',
      'Whether tries fail first: `sum by (provider, outcome) (rate(gatewright_upstream_attempts_total[5m]))`.',
    ],
    act: [
      '`receive` is slow: callers upload slowly or bodies are large; nothing is wrong here.',
      '`reserve` is slow: requests wait for limits, or the shared counters answer slowly.',
      '`call-upstream` is slow: targets fail before one answers; take the failing one out of the route.',
      'All are slow: the processor is full; add workers or nodes.',
    ],
  },
}

const percent = (share: number): string => `${Number((share * 100).toFixed(3))} %`

/** Ratio of bad ones that burns `factor` times as fast as the objective allows. */
function thresholdOf({ target }: Objective, factor: number): string {
  return String(Number((factor * (1 - target)).toFixed(6)))
}

function exprOf(objective: Objective, severity: Severity): string {
  return burnPairs
    .filter((pair) => pair.severity === severity)
    .map(({ long, short, factor }) => {
      const bound = thresholdOf(objective, factor)
      const [slow, quick] = [errorRatioRule(objective, long), errorRatioRule(objective, short)]
      return `(${slow} > ${bound} and ${quick} > ${bound})`
    })
    .join(' or ')
}

/** Series of a day in which a share of requests is bad. */
function samplesOf({ id }: Objective, bad: number): Samples {
  const every = 1000
  const [all, good, wrong] = [`0+${every}x1600`, `0+${every * (1 - bad)}x1600`, `0+${every * bad}x1600`]
  if (id === 'availability') {
    const name = 'http_server_request_duration_seconds_count'
    return {
      [`${name}{http_response_status_code="200"}`]: good,
      [`${name}{http_response_status_code="503",error_type="capacity.overloaded"}`]: wrong,
      // What providers fail is not held against the gateway.
      [`${name}{http_response_status_code="502",error_type="upstream.error"}`]: '0+10x1600',
    }
  }
  const [name, le] =
    id === 'first_token'
      ? ['gatewright_time_to_first_token_seconds', '2.5']
      : ['gatewright_overhead_duration_seconds', '0.025']
  return { [`${name}_bucket{le="${le}"}`]: good, [`${name}_count`]: all }
}

function alertOf(objective: Objective, severity: Severity): Alert {
  const { id, name, target, promise } = objective
  const { fast, look, act } = words[id]
  const isFast = severity === 'page'
  const pairs = burnPairs.filter((pair) => pair.severity === severity)
  const least = Math.min(...pairs.map(({ factor }) => factor))
  const room = 1 - target
  return {
    name: `Gatewright${name}Burn${isFast ? 'Fast' : 'Slow'}`,
    severity,
    expr: exprOf(objective, severity),
    for: isFast ? '2m' : '15m',
    summary: `The room for errors of an objective is used up ${isFast ? 'fast' : 'steadily'}: ${promise}.`,
    meaning: `${fast} The objective is that ${promise}; over 30 days ${percent(room)} may be otherwise. ${
      isFast
        ? 'At this pace the room of the month is gone within days.'
        : 'At this pace the room of the month is gone before its end.'
    }`,
    look,
    act,
    signals: pairs.flatMap(({ long, short }) => [
      errorRatioRule(objective, long),
      errorRatioRule(objective, short),
    ]),
    fires: {
      samples: samplesOf(objective, Math.min(1, room * least * 1.3)),
      at: isFast ? '7h' : '25h',
      labels: {},
    },
    quiet: samplesOf(objective, room * least * 0.8),
  }
}

export const sloAlerts: AlertGroup = {
  name: 'gatewright-slo',
  about: 'Objectives',
  alerts: objectives.flatMap((objective) =>
    (['page', 'ticket'] as const).map((severity) => alertOf(objective, severity)),
  ),
}
