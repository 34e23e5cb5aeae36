/** Events for tests and for the examples of the guide: one of each kind, every field filled with what a test asks. */
import type { ExchangeFacts, OversightEvent } from '../../domain/oversight-event.ts'

export function sampleExchange(own: Partial<ExchangeFacts> = {}): ExchangeFacts {
  return {
    requestId: 'req_01',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    operation: 'chat.create',
    dialect: 'openai-chat',
    model: 'gpt-5',
    servedModel: 'gpt-5-2026-08-07',
    providerId: 'openai',
    deploymentId: 'dep_openai',
    status: 200,
    streamed: true,
    attempts: 1,
    inputTokens: 120,
    outputTokens: 40,
    cachedInputTokens: 100,
    reasoningTokens: 8,
    costMicroUsd: 870,
    requestBytes: 512,
    responseBytes: 2048,
    durationMs: 812.5,
    firstByteMs: 210,
    overheadMs: 0.4,
    ...own,
  }
}

export function sampleEvent(own: Partial<OversightEvent> = {}): OversightEvent {
  return {
    id: 'req_01',
    time: Date.UTC(2026, 10, 1, 12),
    stream: 'access',
    action: 'exchange.completed',
    outcome: 'success',
    severity: 'info',
    reason: '',
    organizationId: 'org_acme',
    actor: { kind: 'key', id: 'key_1', applicationId: 'app_shop', address: '192.0.2.7', endUser: 'u-17' },
    resource: null,
    exchange: sampleExchange(),
    ...own,
  }
}

const admin = { kind: 'admin', id: 'tok_1', applicationId: '', address: '2001:db8::7', endUser: '' } as const
const nobody = { kind: 'unknown', id: '', applicationId: '', address: '', endUser: '' } as const
const refused = { outcome: 'failure', severity: 'low', stream: 'security', exchange: null } as const
const done = { stream: 'audit', actor: admin, exchange: null } as const

export const sampleEvents: readonly OversightEvent[] = [
  sampleEvent(),
  sampleEvent({ id: 'req_02', action: 'exchange.refused', outcome: 'failure', reason: 'limits.exceeded' }),
  sampleEvent({ id: 'req_03', stream: 'usage', action: 'usage.recorded' }),
  sampleEvent({
    ...refused,
    id: 'evt_04',
    action: 'auth.refused',
    reason: 'auth.invalid-key',
    actor: nobody,
  }),
  sampleEvent({ ...refused, id: 'evt_05', action: 'limits.refused', reason: 'limits.exceeded' }),
  sampleEvent({
    ...refused,
    id: 'evt_06',
    action: 'guard.refused',
    severity: 'high',
    reason: 'guard.injection',
  }),
  sampleEvent({
    ...refused,
    id: 'evt_07',
    action: 'privacy.refused',
    severity: 'critical',
    reason: 'privacy.found',
  }),
  sampleEvent({
    ...done,
    id: 'evt_08',
    stream: 'security',
    action: 'sign-in.refuse',
    outcome: 'failure',
    severity: 'low',
  }),
  sampleEvent({ ...done, id: 'evt_09', action: 'key.create', resource: { kind: 'key', id: 'key_2' } }),
  sampleEvent({ ...done, id: 'evt_10', action: 'key.rotate', resource: { kind: 'key', id: 'key_2' } }),
  sampleEvent({
    ...done,
    id: 'evt_11',
    action: 'deployment.update',
    resource: { kind: 'deployment', id: 'dep_1' },
  }),
  sampleEvent({ ...done, id: 'evt_12', action: 'control-plane.start', actor: { ...nobody, kind: 'system' } }),
  sampleEvent({
    ...refused,
    id: 'evt_13',
    action: 'connection.refused',
    reason: 'request.malformed-http',
    actor: { ...nobody, address: '192.0.2.9' },
    count: 12,
  }),
  sampleEvent({
    ...done,
    id: 'abc.checkpoint.7',
    action: 'audit.checkpoint',
    actor: { ...nobody, kind: 'system' },
    resource: { kind: 'audit-log', id: 'gatewright.local/audit/abc' },
    checkpoint: Buffer.from('gatewright.local/audit/abc\n7\n').toString('base64'),
  }),
]
