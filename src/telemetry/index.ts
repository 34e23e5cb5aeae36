/**
 * Telemetry: what an operator sees. Metrics are rows of one table; the workers count them in shared memory, each in
 * cells of its own, and the control plane sums them, adds the figures that live elsewhere, and writes them out.
 *
 *   worker ──add──▶ cells of worker 0 ─┐
 *   worker ──add──▶ cells of worker 1 ─┼─ sum ──▶ families ──▶ text
 *                figures of the node ──┘
 */
export { chooseExposition } from './choose-exposition.ts'
export { createMetrics } from './create-metrics.ts'
export { ExemplarBook } from './exemplar-book.ts'
export { genAiOperation, genAiProvider, withViews } from './gen-ai-names.ts'
export { type Metric, otherValue } from './metric.ts'
export { createFamilyCollector, type FamilyCollector, type MetricFamily } from './metric-family.ts'
export { type MetricReader, openMetricReader } from './metric-reader.ts'
export { metricList, metrics } from './metric-table.ts'
export { type MetricWriter, openControlMetricWriter, openMetricWriter } from './metric-writer.ts'
export { contentTypes, writeExposition } from './write-exposition.ts'
