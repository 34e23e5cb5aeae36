// Writes docs/reference/metrics.md: every metric, from the table of the code.

import { type Metric, metricList } from '../src/telemetry/index.ts'
import { writeGenerated } from './write-generated.ts'

const sources: Readonly<Record<Metric['source'], string>> = {
  workers: 'counted by the workers',
  node: 'read when it is asked for',
  view: 'shown under a second name',
}

const labelText = ({ labels }: Metric): string => labels.map((label) => `\`${label}\``).join(', ')
const rows = metricList.map((metric) => {
  const { name, kind, labels, maxSeries, source, help } = metric
  const bound = labels.length === 0 || source === 'view' ? '' : maxSeries.toLocaleString('en-US')
  return `| \`${name}\` | ${kind} | ${labelText(metric)} | ${bound} | ${sources[source]} | ${help} |`
})
const buckets = metricList
  .filter(({ kind }) => kind === 'histogram')
  .map(({ name, buckets: bounds }) => `| \`${name}\` | ${bounds.join(', ')} |`)

writeGenerated(
  'docs/reference/metrics.md',
  [
    '<!-- Generated from src/telemetry/metric-table.ts by npm run generate. -->',
    '# Metrics',
    '',
    'What `GET /metrics` of the control plane tells ([guide](../guides/metrics.md)). "At most": label sets of a metric;',
    'further ones are counted together, with `other` in every label.',
    '',
    '| metric | type | labels | at most | where it is from | what it says |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Buckets of the histograms',
    '',
    '| metric | upper bounds |',
    '|---|---|',
    ...buckets,
    '',
  ].join('\n'),
)
