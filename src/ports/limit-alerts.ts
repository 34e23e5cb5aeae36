/**
 * Port: alerts of limits, each raised once by limit, subject, period and threshold, over all threads and nodes.
 * Bound: the caller removes what is old (`prune`).
 */
import type { LimitAlert, LimitAlertSighting } from '../domain/limit-alert.ts'
import type { Page, PageQuery } from './store.ts'

export interface LimitAlerts {
  /** The alert for exactly one caller; null for all others, and where the organization is gone. */
  raise(sighting: LimitAlertSighting): Promise<LimitAlert | null>
  /** Newest first. @throws Fault `validation` for a cursor or limit out of bounds */
  list(organizationId: string, query?: PageQuery): Promise<Page<LimitAlert>>
  /** Removes up to `limit` alerts that were raised before; returns how many, so that the caller can go on in slices. */
  prune(before: number, limit: number): Promise<number>
}
