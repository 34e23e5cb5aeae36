/**
 * What one finished exchange says to the streams `access` and `usage`, and to `security` where it was refused or guards
 * found something. What looks like a key in the texts that callers chose is cut here, so that it is in no form of the
 * event.
 */
import type { GuardFinding } from '../domain/guards.ts'
import type { EventSeverity, OversightEvent } from '../domain/oversight-event.ts'
import { callerText } from '../domain/plain-text.ts'
import { securityAreaOf } from '../domain/security-areas.ts'
import type { UsageRecord } from '../domain/usage.ts'

/** The access event of a record, and a security event beside it where somebody was turned away. */
export function eventsOfRecord(record: UsageRecord): readonly OversightEvent[] {
  const access = accessEvent(record)
  const found = (record.findings ?? []).map((finding, at) => findingEvent(access, finding, at))
  const area = securityAreaOf(record.fault)
  if (record.outcome !== 'refused' || area === null) return [access, ...found]
  const refused = {
    ...access,
    id: `${record.id}.refused`,
    stream: 'security' as const,
    action: `${area}.refused`,
    severity: 'low' as const,
  }
  return [access, refused, ...found]
}

const findingSeverities: Readonly<Record<GuardFinding['action'], EventSeverity>> = Object.freeze({
  allow: 'info',
  flag: 'low',
  mask: 'medium',
  block: 'high',
})

/** What a guard found: which rule, how sure, where; never the text. */
function findingEvent(access: OversightEvent, finding: GuardFinding, at: number): OversightEvent {
  const { guard, detector, rule, place, at: path, start, end, score, action, mode } = finding
  const where = `${place}${path === '' ? '' : ` ${path}`} ${start}-${end}`
  return {
    ...access,
    id: `${access.id}.finding-${at + 1}`,
    stream: 'security',
    action: `guard.${action}`,
    severity: mode === 'shadow' ? 'info' : findingSeverities[action],
    reason: `${detector}/${rule} score ${score} in ${where}${mode === 'shadow' ? ' (shadow)' : ''}`,
    resource: { kind: 'guard', id: guard },
  }
}

/** The same as an event of the stream `usage`, for receivers that reckon up what was consumed. */
export function usageEventOf(record: UsageRecord): OversightEvent {
  return {
    ...accessEvent(record),
    id: `${record.id}.usage`,
    stream: 'usage',
    action: 'usage.recorded',
    severity: 'info',
  }
}

const severities: Readonly<Record<UsageRecord['outcome'], EventSeverity>> = Object.freeze({
  completed: 'info',
  disconnected: 'info',
  refused: 'low',
  failed: 'medium',
})

function accessEvent(record: UsageRecord): OversightEvent {
  return {
    id: record.id,
    time: record.time,
    stream: 'access',
    action: `exchange.${record.outcome}`,
    outcome: record.outcome === 'completed' ? 'success' : 'failure',
    severity: severities[record.outcome],
    reason: record.fault,
    organizationId: record.organizationId,
    actor: {
      kind: 'key',
      id: record.keyId,
      applicationId: record.applicationId,
      address: record.address ?? '',
      endUser: callerText(record.endUser),
    },
    resource: null,
    exchange: {
      requestId: record.id,
      traceId: record.traceId ?? '',
      spanId: record.spanId ?? '',
      operation: record.operation,
      dialect: record.dialect,
      model: callerText(record.model),
      servedModel: callerText(record.servedModel),
      providerId: record.providerId,
      deploymentId: record.deploymentId,
      status: record.status,
      streamed: record.streamed,
      attempts: record.attempts,
      inputTokens: record.inputTokens,
      outputTokens: record.outputTokens,
      cachedInputTokens: record.cachedInputTokens,
      reasoningTokens: record.reasoningTokens,
      costMicroUsd: record.costMicroUsd,
      requestBytes: record.requestBytes,
      responseBytes: record.responseBytes,
      durationMs: record.durationMs,
      firstByteMs: record.firstByteMs,
      overheadMs: record.overheadMs,
    },
  }
}
