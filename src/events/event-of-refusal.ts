/** What refused requests of unknown callers say: to `security` where it is about who asks or a connection that came to no request, else to `access`. */
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { Refusal } from '../domain/refusal.ts'
import { securityAreaOf } from '../domain/security-areas.ts'

export function eventOfRefusal(refusal: Refusal): OversightEvent {
  if (refusal.ofConnection === true) return connectionEvent(refusal)
  const area = securityAreaOf(refusal.fault)
  return {
    id: refusal.id,
    time: refusal.time,
    stream: area === null ? 'access' : 'security',
    action: area === null ? 'exchange.refused' : `${area}.refused`,
    outcome: 'failure',
    severity: 'low',
    reason: refusal.fault,
    organizationId: '',
    actor: { kind: 'unknown', id: '', applicationId: '', address: refusal.address, endUser: '' },
    resource: null,
    exchange: {
      requestId: refusal.id,
      traceId: '',
      spanId: '',
      operation: refusal.operation,
      dialect: '',
      model: '',
      servedModel: '',
      providerId: '',
      deploymentId: '',
      status: refusal.status,
      streamed: false,
      attempts: 0,
      inputTokens: 0,
      outputTokens: 0,
      cachedInputTokens: 0,
      reasoningTokens: 0,
      costMicroUsd: null,
      requestBytes: 0,
      responseBytes: 0,
      durationMs: 0,
      firstByteMs: 0,
      overheadMs: 0,
    },
    ...(refusal.count === 1 ? {} : { count: refusal.count }),
  }
}

/** There was no request: of the exchange there is nothing to be told but its refusal. */
function connectionEvent({ id, time, fault, address, count }: Refusal): OversightEvent {
  return {
    id,
    time,
    stream: 'security',
    action: 'connection.refused',
    outcome: 'failure',
    severity: 'low',
    reason: fault,
    organizationId: '',
    actor: { kind: 'unknown', id: '', applicationId: '', address, endUser: '' },
    resource: null,
    exchange: null,
    ...(count === 1 ? {} : { count }),
  }
}
