/** The event that says that others are missing. */
import type { EventResource, OversightEvent } from '../domain/oversight-event.ts'

export interface Gap {
  /** Of whom they are missing. */
  readonly resource: EventResource
  /** What tells it from other gaps there: the same gap, found or told again, has the same id. */
  readonly mark: string
  readonly count: number
  /** Unix milliseconds. */
  readonly time: number
}

export function gapEvent({ resource, mark, count, time }: Gap): OversightEvent {
  return {
    id: `gap.${resource.id}.${mark}`,
    time,
    stream: 'access',
    action: 'events.dropped',
    outcome: 'failure',
    severity: 'high',
    reason: '',
    organizationId: '',
    actor: { kind: 'system', id: '', applicationId: '', address: '', endUser: '' },
    resource,
    exchange: null,
    count,
  }
}
