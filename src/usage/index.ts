/**
 * Usage: what was consumed, by whom, of what. Records come in batches through the event log; sums by minute,
 * hour and day answer questions, the log itself gives the single records. Assumes one indexer per store; bounds stand with each part.
 */
export { exportUsage } from './export-usage.ts'
export type { UsageRetention } from './prune-usage.ts'
export {
  checkUsageInterval,
  latencyQuantile,
  maxTopGroups,
  usageSeries,
  usageSummary,
  usageTopGroups,
} from './query-usage.ts'
export { readUsageRecord, splitLines } from './read-usage-record.ts'
export { createUsageIndexer, type UsageIndexer, type UsageIndexerCounts } from './usage-indexer.ts'
