/** Something that whoever owns an API key or an admin token has to know. It holds no secret. */
import type { EventSeverity, EventStream } from './oversight-event.ts'

export interface KeyNotice {
  readonly action:
    | 'key.leak'
    | 'key.idle-quarantine'
    | 'key.rotation-due'
    | 'key.rotation-overdue'
    | 'key.policy-breach'
    | 'admin-token.leak'
  /** The key or token that it is about. */
  readonly subject: {
    readonly kind: 'key' | 'admin-token'
    readonly id: string
    /** Public part: names it in logs. */
    readonly publicId: string
    /** Empty: the whole installation. */
    readonly organizationId: string
    /** Empty: none. */
    readonly applicationId: string
  }
  /** Unix milliseconds. */
  readonly at: number
  /** What more there is to say: when, where, by whom. */
  readonly details: Readonly<Record<string, string | number>>
}

interface NoticeRow {
  readonly stream: EventStream
  readonly severity: EventSeverity
  /** For the process log. */
  readonly text: string
}

export const keyNoticeRows: Readonly<Record<KeyNotice['action'], NoticeRow>> = Object.freeze({
  'key.leak': { stream: 'security', severity: 'high', text: 'was reported as leaked, and is held' },
  'admin-token.leak': {
    stream: 'security',
    severity: 'critical',
    text: 'was reported as leaked, and is revoked',
  },
  'key.idle-quarantine': { stream: 'audit', severity: 'low', text: 'was not used for long, and is held' },
  'key.rotation-due': { stream: 'audit', severity: 'low', text: 'is to be rotated soon' },
  'key.rotation-overdue': { stream: 'audit', severity: 'medium', text: 'was not rotated in time' },
  'key.policy-breach': { stream: 'audit', severity: 'medium', text: 'does not keep the key policy' },
})
