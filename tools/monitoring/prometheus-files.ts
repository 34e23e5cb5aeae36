/** Texts of deploy/prometheus/ and docs/runbooks/, from the tables. */
import { stringify } from 'yaml'
import { type Alert, type AlertGroup, runbookUrl, type Samples } from './alert.ts'
import { runtimeAlerts } from './runtime-alerts.ts'
import { securityAlerts } from './security-alerts.ts'
import { sloAlerts } from './slo-alerts.ts'
import { burnPairs, objectives, recordingRules } from './slo-rules.ts'
import { limitAlerts, providerAlerts, usageAlerts } from './traffic-alerts.ts'

export const alertGroups: readonly AlertGroup[] = Object.freeze([
  sloAlerts,
  runtimeAlerts,
  providerAlerts,
  limitAlerts,
  securityAlerts,
  usageAlerts,
])
export const alerts: readonly Alert[] = Object.freeze(alertGroups.flatMap((group) => group.alerts))

const note = 'Generated from tools/monitoring/ by npm run generate.'
const yaml = (value: object): string => `# ${note}\n${stringify(value, { lineWidth: 0 })}`

export function recordingRulesText(): string {
  return yaml({ groups: [{ name: 'gatewright-recording', interval: '30s', rules: recordingRules }] })
}

export function alertRulesText(): string {
  return yaml({
    groups: alertGroups.map(({ name, alerts: rows }) => ({
      name,
      rules: rows.map((row) => ({
        alert: row.name,
        expr: row.expr,
        ...(row.for === '0m' ? {} : { for: row.for }),
        labels: { severity: row.severity },
        annotations: { summary: row.summary, runbook_url: runbookUrl(row.name) },
      })),
    })),
  })
}

const seriesOf = (samples: Samples): object[] =>
  Object.entries(samples).map(([series, values]) => ({ series, values }))

/** The summary as the alert's labels fill it. */
function filled(summary: string, labels: Readonly<Record<string, string>>): string {
  return summary.replaceAll(/\{\{ \$labels\.([a-z_]+) \}\}/g, (_whole, label: string) => labels[label] ?? '')
}

/** Per alert: samples on which it fires with these labels, and samples that look alike on which it does not. */
function testsOf({ name, severity, summary, fires, quiet }: Alert): object[] {
  const fired = {
    exp_labels: { severity, ...fires.labels },
    exp_annotations: { summary: filled(summary, fires.labels), runbook_url: runbookUrl(name) },
  }
  const testOf = (title: string, samples: Samples, expected: readonly object[]): object => ({
    name: `${name} ${title}`,
    interval: '1m',
    input_series: seriesOf(samples),
    alert_rule_test: [{ eval_time: fires.at, alertname: name, exp_alerts: expected }],
  })
  return [testOf('fires', fires.samples, [fired]), testOf('stays quiet', quiet, [])]
}

/** `long`: tests over hours and days, where rules are looked at every five minutes, the longest that a sample is seen. */
export function alertTestsText(part: 'long' | 'short'): string {
  const rows = alerts.filter(({ fires }) => fires.at.endsWith('h') === (part === 'long'))
  return yaml({
    rule_files: ['../rules/recording.yml', '../rules/alerts.yml'],
    evaluation_interval: part === 'long' ? '5m' : '1m',
    tests: rows.flatMap(testsOf),
  })
}

const severities = {
  page: 'page: somebody looks at it now',
  ticket: 'ticket: within working hours',
} as const

export function runbookText(row: Alert, group: AlertGroup): string {
  const list = (lines: readonly string[]): string[] => lines.map((line, at) => `${at + 1}. ${line}`)
  return [
    `<!-- ${note} -->`,
    `# ${row.name}`,
    '',
    `> ${row.summary.replaceAll(/\{\{ \$labels\.([a-z_]+) \}\}/g, '*$1*')}`,
    '',
    `${group.about} · ${severities[row.severity]}${row.for === '0m' ? '' : ` · after ${row.for}`}`,
    '',
    '## What it means',
    row.meaning,
    '',
    '## How to look',
    ...list(row.look),
    '',
    '## What to do',
    ...list(row.act),
    '',
    '## The rule',
    '```text',
    row.expr,
    '```',
    '',
  ].join('\n')
}

export function runbookIndexText(): string {
  const rows = alertGroups.flatMap(({ about, alerts: of }) =>
    of.map(({ name, severity, summary }) => {
      const text = summary.replaceAll(/\{\{ \$labels\.([a-z_]+) \}\}/g, '*$1*')
      return `| [${name}](${name}.md) | ${about} | ${severity} | ${text} |`
    }),
  )
  const promises = objectives.map(({ promise, id }) => `- \`${id}\`: ${promise}.`)
  const pairs = burnPairs.map(
    ({ long, short, factor, severity }) => `| ${factor} | ${long} | ${short} | ${severity} |`,
  )
  return [
    `<!-- ${note} -->`,
    '# Runbooks',
    '',
    'One page for each alert of `deploy/prometheus/rules/alerts.yml`: what it means, how to look, what to do.',
    '',
    '| alert | about | severity | what it says |',
    '|---|---|---|---|',
    ...rows,
    '',
    '## Objectives',
    ...promises,
    '',
    'An objective alerts when its room for errors is used up so many times faster than allowed, over both windows:',
    '',
    '| times | long window | short window | severity |',
    '|---|---|---|---|',
    ...pairs,
    '',
  ].join('\n')
}
