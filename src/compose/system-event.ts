/** An event of something that Gatewright does, or finds, by itself. */
import type { OversightEvent } from '../domain/oversight-event.ts'
import { newId } from '../kernel/ids.ts'

export function systemEvent(
  now: number,
  fields: Pick<OversightEvent, 'action' | 'outcome' | 'reason'> & Partial<OversightEvent>,
): OversightEvent {
  return {
    id: newId('aud'),
    time: now,
    stream: 'audit',
    severity: fields.outcome === 'failure' ? 'medium' : 'info',
    organizationId: '',
    actor: { kind: 'system', id: '', applicationId: '', address: '', endUser: '' },
    resource: null,
    exchange: null,
    ...fields,
  }
}
