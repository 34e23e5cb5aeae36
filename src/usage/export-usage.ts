/**
 * Individual usage records, streamed from the event log as CSV (RFC 4180) or JSON lines. Memory: one frame and one
 * chunk of text, whatever the size of the log. Repeated deliveries of a record are left out within the id window.
 */
import type { UsageRecord } from '../domain/usage.ts'
import { csvField } from '../kernel/csv-field.ts'
import type { EventLog } from '../ports/event-log.ts'
import { createIdWindow } from './id-window.ts'
import { readUsageRecord, splitLines } from './read-usage-record.ts'
import { createTimeSlice } from './time-slice.ts'

export interface UsageExport {
  /** Null: all organizations; for operators of the installation only. */
  readonly organizationId: string | null
  /** Unix milliseconds; `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
  readonly format: 'csv' | 'jsonl'
  /** Only records of this application. */
  readonly applicationId?: string
}

const columns = [
  'id',
  'time',
  'organizationId',
  'applicationId',
  'keyId',
  'operation',
  'dialect',
  'model',
  'servedModel',
  'deploymentId',
  'providerId',
  'status',
  'fault',
  'outcome',
  'streamed',
  'attempts',
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'estimated',
  'costMicroUsd',
  'requestBytes',
  'responseBytes',
  'durationMs',
  'firstByteMs',
  'overheadMs',
  'endUser',
  'tags',
  'refusedBy',
  'limitsPassed',
  'productId',
] as const satisfies readonly (keyof UsageRecord)[]

/** Where callers are is for sinks of events, not for whoever reckons usage up. */
function jsonLine({ address: _, ...shown }: UsageRecord): string {
  return `${JSON.stringify(shown)}\n`
}

const chunkLength = 64 * 1024
const recordsPerLook = 32

function csvCell(value: UsageRecord[keyof UsageRecord] | undefined): string {
  return csvField(typeof value === 'object' && value !== null ? JSON.stringify(value) : value)
}

const csvHeader = `${columns.join(',')}\r\n`

function csvLine(record: UsageRecord): string {
  return `${columns.map((column) => csvCell(record[column])).join(',')}\r\n`
}

function matches(record: UsageRecord, terms: UsageExport): boolean {
  const { organizationId, applicationId, from, to } = terms
  return (
    record.time >= from &&
    record.time < to &&
    (organizationId === null || record.organizationId === organizationId) &&
    (applicationId === undefined || record.applicationId === applicationId)
  )
}

/** Chunks of text; the consumer's pace is the producer's. */
export async function* exportUsage(
  log: EventLog,
  terms: UsageExport,
): AsyncGenerator<string, void, undefined> {
  const format = terms.format === 'csv' ? csvLine : jsonLine
  const window = createIdWindow(null)
  const slice = createTimeSlice()
  let chunk = terms.format === 'csv' ? csvHeader : ''
  let untilLook = recordsPerLook
  for await (const { payload } of log.read(null)) {
    // Most frames of a busy installation hold nothing of a given organization: bytes tell faster than parsing.
    if (terms.organizationId !== null && !payload.includes(terms.organizationId)) continue
    window.beginFrame(null)
    for (const line of splitLines(payload.toString('utf8'))) {
      const record = readUsageRecord(line)
      if (record !== null && matches(record, terms) && window.add(record.id)) chunk += format(record)
      if (chunk.length >= chunkLength) {
        yield chunk
        chunk = ''
      }
      untilLook -= 1
      if (untilLook > 0) continue
      untilLook = recordsPerLook
      if (slice.isOver()) await slice.rest()
    }
  }
  if (chunk !== '') yield chunk
}
