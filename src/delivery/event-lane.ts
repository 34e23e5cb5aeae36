/** A log as a source of events: what stands in its frames, read as events. */
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { EventLog } from '../ports/event-log.ts'

export interface SizedEvent {
  readonly event: OversightEvent
  /** Bytes on disk, about what it takes to send. */
  readonly bytes: number
}

export interface EventLane {
  /** Part of the names of cursors. */
  readonly name: string
  readonly log: EventLog
  /** Events of a frame; what is none is left out. Events of streams that are not `wanted` may be left out, too. */
  decode(payload: Buffer): Iterable<SizedEvent>
}
