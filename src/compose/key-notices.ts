/**
 * Tells the owner of a key what they have to know: an entry in the audit log, which is an event for sinks and for who
 * watches; a POST to the receiver of alerts; a line in the process log. None of them waits for another.
 */
import type { AuditTrail } from '../audit/index.ts'
import { type KeyNotice, keyNoticeRows } from '../domain/key-notice.ts'
import { newId } from '../kernel/ids.ts'
import type { Log } from '../supervisor/log.ts'
import type { AlertWebhook } from './alert-webhook.ts'

export interface KeyNoticeParts {
  readonly trail: Pick<AuditTrail, 'record'>
  readonly webhook: Pick<AlertWebhook, 'post'>
  readonly log: Log
}

export function createKeyTeller({ trail, webhook, log }: KeyNoticeParts) {
  return async (notice: KeyNotice): Promise<void> => {
    const { action, subject, at, details } = notice
    const { stream, severity, text } = keyNoticeRows[action]
    const id = newId('knt')
    const what = subject.kind === 'key' ? 'API key' : 'admin token'
    log({ level: 'warn', code: action, text: `The ${what} ${subject.publicId} ${text}.` })
    webhook.post({ id, body: JSON.stringify({ type: action, id, at, subject, details }) })
    const event = {
      id,
      time: at,
      stream,
      action,
      outcome: 'success' as const,
      severity,
      reason: '',
      organizationId: subject.organizationId,
      actor: { kind: 'system' as const, id: '', applicationId: '', address: '', endUser: '' },
      resource: { kind: subject.kind, id: subject.id },
      exchange: null,
    }
    const after = { publicId: subject.publicId, applicationId: subject.applicationId, ...details }
    await trail.record(event, { after }).catch(() => {
      log({ level: 'error', code: 'audit.entry-lost', text: `${action} is not in the audit log.` })
    })
  }
}
