import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { requireSystemProgram } from '../../tools/system-packages.ts'
import { chooseExposition } from './choose-exposition.ts'
import { createMetrics } from './create-metrics.ts'
import { withViews } from './gen-ai-names.ts'
import { type ParsedFamily, parseExposition } from './harness/parse-exposition.ts'
import { cellsOf, type Metric } from './metric.ts'
import type { MetricFamily } from './metric-family.ts'
import { openMetricReader } from './metric-reader.ts'
import { metricList, metrics } from './metric-table.ts'
import { openMetricWriter } from './metric-writer.ts'
import { writeExposition } from './write-exposition.ts'

/** Every metric with two label sets, of which one needs every escape. */
function everything(): readonly MetricFamily[] {
  const awkward = 'a "quoted" \\ back\nnext {x="y",} # EOF é'
  return metricList.map((metric) => {
    const cells = Array.from(
      { length: cellsOf(metric) },
      (_, at) => at + 0.5 * (metric.kind === 'gauge' ? 1 : 0),
    )
    const plain = metric.labels.map((label) => `some-${label}`)
    const series = [
      { values: plain, cells },
      { values: metric.labels.map(() => awkward), cells },
    ]
    return { metric, series: metric.labels.length === 0 ? series.slice(0, 1) : series }
  })
}

const find = (families: readonly ParsedFamily[], name: string): ParsedFamily => {
  const family = families.find((each) => each.name === name)
  assert.ok(family !== undefined, name)
  return family
}

for (const format of ['prometheus', 'openmetrics'] as const) {
  test(`${format}: every metric can be read back by a strict parser, whatever its labels hold`, () => {
    const families = parseExposition(writeExposition(everything(), format), format)
    assert.equal(families.length, metricList.length)
    const awkward = find(families, 'gatewright_snapshot_version').samples
    assert.equal(awkward.length, 1)
    const requests = find(
      families,
      format === 'prometheus' ? 'gatewright_requests_total' : 'gatewright_requests',
    )
    assert.equal(requests.samples[1]?.labels['model'], 'a "quoted" \\ back\nnext {x="y",} # EOF é')
    assert.equal(requests.samples[0]?.name, 'gatewright_requests_total')
  })
}

test('promtool finds nothing to say about names, types, help and units of any metric', () => {
  const promtool = requireSystemProgram('promtool')
  const input = writeExposition(everything(), 'prometheus')
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' })
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' })
  const faulty = input.replaceAll('gatewright_requests_total', 'gatewright_requests')
  assert.notEqual(spawnSync(promtool, ['check', 'metrics'], { input: faulty }).status, 0)
})

test('every row keeps the rules of names, and no label names a key, a user or an address', () => {
  const names = new Set(metricList.map(({ name }) => name))
  assert.equal(names.size, metricList.length)
  for (const {
    name,
    kind,
    unit,
    labels,
    help,
    buckets,
    maxSeries,
    source,
  } of metricList as readonly Metric[]) {
    assert.match(name, /^(?:gatewright|process|nodejs|gen_ai|http_server)_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), kind === 'counter', name)
    if (unit !== '') assert.ok(name.replace(/_total$/, '').endsWith(`_${unit}`), name)
    assert.match(help, /^[A-Z1].+\.$/, name)
    assert.deepEqual(
      buckets,
      [...buckets].sort((a, b) => a - b),
      name,
    )
    for (const label of labels) {
      assert.match(label, /^[a-z][a-z_]*$/, name)
      assert.doesNotMatch(label, /key|user|address|^ip$|(?:^|_)tags?$|token$/, name)
    }
    if (labels.length > 0 && source !== 'view') assert.ok(maxSeries <= 3000, name)
  }
})

test('calls of providers are shown a second time under the names of OpenTelemetry, with the same figures', () => {
  const buffer = createMetrics(1)
  const writer = openMetricWriter(buffer, 0)
  for (const operation of ['chat.completions', 'messages.create']) {
    for (const outcome of ['ok', 'timeout']) {
      const cell = writer.bind(metrics.upstreamDuration, [operation, 'claude', 'bedrock', outcome])
      writer.observe(metrics.upstreamDuration, cell, 0.5)
    }
  }
  const text = writeExposition(withViews(openMetricReader(buffer).read()), 'prometheus')
  const { samples } = find(parseExposition(text, 'prometheus'), 'gen_ai_client_operation_duration_seconds')
  const call = {
    gen_ai_operation_name: 'chat',
    gen_ai_provider_name: 'aws.bedrock',
    gen_ai_request_model: 'claude',
  }
  assert.deepEqual(
    samples.filter(({ name }) => name.endsWith('_count')),
    [
      { name: 'gen_ai_client_operation_duration_seconds_count', labels: call, value: 2 },
      {
        name: 'gen_ai_client_operation_duration_seconds_count',
        labels: { ...call, error_type: 'timeout' },
        value: 2,
      },
    ],
  )
})

test('the format is the one that the scraper prefers among those that there are', () => {
  const prometheus2 =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
  assert.equal(chooseExposition(prometheus2), 'openmetrics')
  assert.equal(chooseExposition('application/openmetrics-text; version="1.0.0"'), 'openmetrics')
  for (const accept of [
    undefined,
    '',
    '*/*',
    'text/html',
    'application/openmetrics-text;version=0.0.1',
    'application/openmetrics-text;q=0.5,text/plain',
    'application/openmetrics-text;q=0',
    'application/openmetrics-text;q=nonsense',
  ])
    assert.equal(chooseExposition(accept), 'prometheus', accept)
})
