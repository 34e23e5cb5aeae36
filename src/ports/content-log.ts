/**
 * Port: content of exchanges, sealed at rest, gone after its retention. Written by the control plane alone.
 *
 * Guarantees: nothing readable rests anywhere; a record opens under its own request id only; what is older than the
 * retention is not given out and is removed within a day.
 */
import type { ContentRecord } from '../domain/content.ts'
import type { Fault } from '../kernel/fault.ts'

export interface ContentLog {
  /** Seal and store. `done` is called once; with a fault the record is lost. */
  add(record: ContentRecord, done: (fault: Fault | null) => void): void
  /** The record of a request of this organization, or null. Reads one request at a time; costs a scan of the log. */
  read(organizationId: string, requestId: string): Promise<ContentRecord | null>
  /** Remove what the retention lets go. Returns how many days of content went. */
  prune(): Promise<number>
  close(): Promise<void>
}
