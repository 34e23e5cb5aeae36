/** From one NDJSON line to a usage record. Lines come from our own workers; they are checked all the same. */
import type { UsageRecord } from '../domain/usage.ts'

const textFields = [
  'id',
  'organizationId',
  'applicationId',
  'keyId',
  'operation',
  'model',
  'servedModel',
  'deploymentId',
  'providerId',
  'outcome',
] as const satisfies readonly (keyof UsageRecord)[]
const numberFields = [
  'time',
  'status',
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'durationMs',
] as const satisfies readonly (keyof UsageRecord)[]

function isUsageRecord(value: unknown): value is UsageRecord {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Readonly<Record<string, unknown>>
  for (const field of textFields) if (typeof record[field] !== 'string') return false
  for (const field of numberFields) {
    const number = record[field]
    if (typeof number !== 'number' || !(number >= 0 && number < Number.POSITIVE_INFINITY)) return false
  }
  const cost = record['costMicroUsd']
  return cost === null || typeof cost === 'number'
}

/** Null for what is no usage record. */
export function readUsageRecord(line: string): UsageRecord | null {
  try {
    const value: unknown = JSON.parse(line)
    if (!isUsageRecord(value)) return null
    // Releases before 0009-usage-products wrote none.
    return typeof value.productId === 'string' ? value : { ...value, productId: '' }
  } catch {
    return null
  }
}

/** The lines of an NDJSON text, without empty ones. */
export function* splitLines(text: string): Generator<string, void, undefined> {
  let start = 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    if (end > start) yield text.slice(start, end)
    start = end + 1
  }
}
