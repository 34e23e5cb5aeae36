/** The event that says that others are missing. */
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { EventCursor } from '../ports/event-log.ts'

export interface Gap {
  readonly sink: string
  /** The place that it ends at: the same gap, found again after a crash, has the same id. */
  readonly end: EventCursor
  readonly count: number
  /** Unix milliseconds. */
  readonly time: number
}

export function gapEvent({ sink, end, count, time }: Gap): OversightEvent {
  return {
    id: `gap.${sink}.${end}`,
    time,
    stream: 'access',
    action: 'events.dropped',
    outcome: 'failure',
    severity: 'high',
    reason: '',
    organizationId: '',
    actor: { kind: 'system', id: '', applicationId: '', address: '', endUser: '' },
    resource: { kind: 'sink', id: sink },
    exchange: null,
    count,
  }
}
