/**
 * Usage: what was consumed, by whom, of what. Records come in batches through the event log; sums by minute answer
 * questions, the log itself gives the single records. Assumes one indexer per store; bounds stand with each part.
 */
export { exportUsage, type UsageExport } from './export-usage.ts'
export { latencyQuantile, pruneUsage, type UsageQuestion, usageSeries, usageSummary } from './query-usage.ts'
export {
  createUsageIndexer,
  type UsageIndexer,
  type UsageIndexerCounts,
  type UsageIndexerOptions,
} from './usage-indexer.ts'
