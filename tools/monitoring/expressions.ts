/** Every expression that dashboards and rules hold, and which metrics it reads. */
import type { Metric } from '../../src/telemetry/index.ts'
import { dashboards } from './grafana-files.ts'
import { pendingMetrics } from './pending-metrics.ts'
import { alerts } from './prometheus-files.ts'
import { recordingRules } from './slo-rules.ts'

export interface Expression {
  /** Dashboard and panel, or the rule. */
  readonly where: string
  readonly expr: string
  /** Reads a metric that is not in the product yet. */
  readonly isPending: boolean
}

const pendingNames = pendingMetrics.map(({ name }) => name)
const isPending = (expr: string): boolean => pendingNames.some((name) => expr.includes(name))

export const panelExpressions: readonly Expression[] = dashboards.flatMap(({ title, sections }) =>
  sections.flatMap(({ panels }) =>
    panels.flatMap((panel) =>
      panel.queries.map(({ expr }) => ({
        where: `${title} / ${panel.title}`,
        expr,
        isPending: isPending(expr),
      })),
    ),
  ),
)

export const ruleExpressions: readonly Expression[] = [
  ...recordingRules.map(({ record, expr }) => ({ where: record, expr, isPending: isPending(expr) })),
  ...alerts.map(({ name, expr }) => ({ where: name, expr, isPending: isPending(expr) })),
]

/** What an alert reads, without what it compares it with. */
export const signalExpressions: readonly Expression[] = alerts.flatMap(({ name, signals }) =>
  signals.map((expr) => ({ where: name, expr, isPending: isPending(expr) })),
)

const sampleName = /\b(?:gatewright|http_server|gen_ai|nodejs|process)_[a-z0-9_]+/g

/** Names of samples, as they stand in an expression; recording rules have colons and are none of these. */
export function sampleNamesIn(expr: string): readonly string[] {
  const withoutRules = expr.replaceAll(/\bgatewright:[a-z0-9_:]+/g, '')
  // Labels can be named like metrics.
  const withoutLabels = withoutRules
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\b(?:by|on|group_left) ?\([^)]*\)/g, '')
  return withoutLabels.match(sampleName) ?? []
}

/** The metric that a sample is of; undefined: of none in the list. */
export function metricOfSample(sample: string, list: readonly Metric[]): Metric | undefined {
  return list.find(
    ({ name, kind }) =>
      name === sample ||
      (kind === 'histogram' && ['_bucket', '_sum', '_count'].some((suffix) => name + suffix === sample)),
  )
}

/** As Grafana asks it: all nodes, all models, an interval. */
export function withoutVariables(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '5m')
    .replaceAll(/\$(?:instance|model|provider|organization)\b/g, '.*')
}
