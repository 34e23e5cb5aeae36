/** An event for tests: a sign-in that was refused. */
import type { OversightEvent } from '../../domain/oversight-event.ts'

export function sampleEvent(own: Partial<OversightEvent> = {}): OversightEvent {
  return {
    id: 'evt_1',
    time: Date.UTC(2026, 10, 1, 12),
    stream: 'security',
    action: 'auth.refused',
    outcome: 'failure',
    severity: 'low',
    reason: 'auth.invalid-key',
    organizationId: '',
    actor: { kind: 'unknown', id: '', applicationId: '', address: '192.0.2.7', endUser: '' },
    resource: null,
    exchange: null,
    ...own,
  }
}
