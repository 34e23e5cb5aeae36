/**
 * Sums usage records by minute and dimensions. Bounds: model names that no deployment served are not kept (a
 * caller may make up any number of them), text is cut at `maxNameLength`, and beyond `maxSeriesPerMinute` series of
 * one organization in one minute the model names become `(other)`: the sums stay exact, the detail does not.
 */
import type { UsageRecord } from '../domain/usage.ts'
import {
  latencyBoundsMs,
  type UsageDimensions,
  type UsageRollup,
  type UsageSums,
} from '../ports/usage-store.ts'
import type { UsageFigures, UsageScan } from './scan-usage-line.ts'

export const maxNameLength = 256
export const maxSeriesPerMinute = 1000
export const otherModel = '(other)'
const minuteMs = 60_000
const maxKnown = 20_000

type MutableSums = { -readonly [Field in keyof UsageSums]: number }

interface Entry {
  readonly minute: number
  readonly dimensions: UsageDimensions
  readonly sums: MutableSums
  readonly latency: number[]
}

export interface RollupAccumulator {
  add(record: UsageRecord): void
  /** Adds the figures to the series that this text of the line stood for before; false when it is new. */
  addKnown(scan: UsageScan): boolean
  /** As `add`, and remembers the text for `addKnown`. */
  addNew(scan: UsageScan, record: UsageRecord): void
  readonly size: number
  /** Everything added since the last call. */
  take(): readonly UsageRollup[]
}

function cut(text: string): string {
  return text.length > maxNameLength ? text.slice(0, maxNameLength) : text
}

function dimensionsOf(record: UsageRecord, isOther: boolean): UsageDimensions {
  const isServed = record.deploymentId !== ''
  return {
    organizationId: record.organizationId,
    applicationId: record.applicationId,
    keyId: record.keyId,
    operation: cut(record.operation),
    model: isOther ? otherModel : isServed ? cut(record.model) : '',
    servedModel: isOther ? otherModel : isServed ? cut(record.servedModel) : '',
    providerId: record.providerId,
    deploymentId: record.deploymentId,
    productId: record.productId,
    statusClass: Math.floor(record.status / 100),
  }
}

function createEntry(minute: number, dimensions: UsageDimensions): Entry {
  return {
    minute,
    dimensions,
    sums: {
      requests: 0,
      errors: 0,
      inputTokens: 0,
      outputTokens: 0,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      estimated: 0,
      unpriced: 0,
      costMicroUsd: 0,
      durationMs: 0,
    },
    latency: new Array<number>(latencyBoundsMs.length + 1).fill(0),
  }
}

function addTo({ sums, latency }: Entry, record: UsageFigures): void {
  sums.requests += 1
  if (record.outcome !== 'completed') sums.errors += 1
  sums.inputTokens += record.inputTokens
  sums.outputTokens += record.outputTokens
  sums.cachedInputTokens += record.cachedInputTokens
  sums.cacheWriteTokens += record.cacheWriteTokens
  sums.reasoningTokens += record.reasoningTokens
  if (record.estimated) sums.estimated += 1
  if (record.costMicroUsd === null) sums.unpriced += 1
  else sums.costMicroUsd += record.costMicroUsd
  sums.durationMs += record.durationMs
  let bucket = 0
  while (bucket < latencyBoundsMs.length && record.durationMs > (latencyBoundsMs[bucket] ?? 0)) bucket += 1
  latency[bucket] = (latency[bucket] ?? 0) + 1
}

function keyOf(minute: number, record: UsageRecord, model: string): string {
  // Ids of ours come first, so that a made-up model name can confuse no more than its own key's series.
  return `${minute}\n${record.organizationId}\n${record.applicationId}\n${record.keyId}\n${record.productId}\n${record.deploymentId}\n${record.providerId}\n${Math.floor(record.status / 100)}\n${cut(record.operation)}\n${model}`
}

export function createRollupAccumulator(seriesPerMinute = maxSeriesPerMinute): RollupAccumulator {
  let entries = new Map<string, Entry>()
  let seriesCounts = new Map<string, number>()
  /** Text of the line → series, for the minute that came last. */
  let known = new Map<string, Entry>()
  let knownMinute = -1

  function find(record: UsageRecord): Entry {
    const minute = record.time - (record.time % minuteMs)
    const model = record.deploymentId === '' ? '' : `${cut(record.model)}\n${cut(record.servedModel)}`
    const key = keyOf(minute, record, model)
    const found = entries.get(key)
    if (found !== undefined) return found
    const scope = `${minute}\n${record.organizationId}`
    const count = seriesCounts.get(scope) ?? 0
    const isOther = count >= seriesPerMinute
    const entryKey = isOther ? keyOf(minute, record, `${otherModel}\n${otherModel}`) : key
    const other = entries.get(entryKey)
    if (other !== undefined) return other
    if (!isOther) seriesCounts.set(scope, count + 1)
    const entry = createEntry(minute, dimensionsOf(record, isOther))
    entries.set(entryKey, entry)
    return entry
  }

  return {
    add: (record) => addTo(find(record), record),
    addKnown(scan) {
      if (scan.time - (scan.time % minuteMs) !== knownMinute) return false
      const entry = known.get(scan.series)
      if (entry === undefined) return false
      addTo(entry, scan)
      return true
    },
    addNew(scan, record) {
      const entry = find(record)
      if (entry.minute !== knownMinute || known.size >= maxKnown) known = new Map()
      knownMinute = entry.minute
      known.set(scan.series, entry)
      addTo(entry, record)
    },
    get size() {
      return entries.size
    },
    take() {
      const rollups: UsageRollup[] = []
      for (const { minute, dimensions, sums, latency } of entries.values()) {
        sums.costMicroUsd = Math.round(sums.costMicroUsd)
        sums.durationMs = Math.round(sums.durationMs)
        rollups.push({ minute, dimensions, sums, latency })
      }
      entries = new Map()
      seriesCounts = new Map()
      known = new Map()
      return rollups
    },
  }
}
