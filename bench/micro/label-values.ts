/**
 * A million random label values against a metric that workers count: how many label sets there are afterwards, what
 * memory it took, and what was counted. Run: node bench/micro/label-values.ts [values]
 * Exits 1 where it has more sets than its cap, something was not counted, or memory grew by more than 64 MB.
 */
import { randomBytes } from 'node:crypto'
import {
  createMetrics,
  metrics,
  openMetricReader,
  openMetricWriter,
  writeExposition,
} from '../../src/telemetry/index.ts'

const values = Number(process.argv[2] ?? 1_000_000)
const maxGrowthMegabytes = 64
const metric = metrics.upstreamAttempts

const residentMegabytes = (): number => process.memoryUsage.rss() / 1e6
const collect = globalThis.gc ?? (() => undefined)

const memory = createMetrics(1)
const writer = openMetricWriter(memory, 0)
collect()
const before = residentMegabytes()
let most = before
const started = performance.now()
for (let round = 0; round < values; round += 1) {
  const text = randomBytes(12).toString('base64url')
  writer.add(writer.bind(metric, [text, text.slice(0, 4), text.slice(4)]), 1)
  if (round % 10_000 === 0) most = Math.max(most, residentMegabytes())
}
const seconds = (performance.now() - started) / 1000
collect()
const families = openMetricReader(memory).read()
const family = families.find((each) => each.metric === metric)
const sets = family?.series.length ?? 0
const counted = (family?.series ?? []).reduce((sum, { cells }) => sum + (cells[0] ?? 0), 0)
const overflowed = families.find((each) => each.metric === metrics.overflows)?.series[0]?.cells[0] ?? 0
const figures = {
  bench: 'label-values',
  values,
  /** `other` is one more. */
  sets: sets - 1,
  cap: metric.maxSeries,
  counted,
  overflowed,
  grownMegabytes: Math.round((residentMegabytes() - before) * 10) / 10,
  mostMegabytes: Math.round((most - before) * 10) / 10,
  expositionKilobytes: Math.round(writeExposition(families, 'openmetrics').length / 1000),
  nanosecondsPerValue: Math.round((seconds * 1e9) / values),
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
const holds = figures.sets <= figures.cap && counted === values && figures.mostMegabytes <= maxGrowthMegabytes
if (!holds) process.exitCode = 1
