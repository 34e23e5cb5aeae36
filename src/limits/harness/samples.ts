/** For tests: rules, requests and limiters to vary. */

import { createSharedCounters, openSharedCounters } from '../../adapters/shared-counters/shared-counters.ts'
import type { LimitMatch, LimitRule, PlanSnapshot } from '../../domain/limits.ts'
import type { NodeCounters } from '../../ports/node-counters.ts'
import type { CompiledLimits } from '../compile-limits.ts'
import type { LimitActual, LimitRequest } from '../limit-request.ts'
import type { Limiter, LimitVerdict, Reservation } from '../verdict.ts'

export const noon = Date.UTC(2026, 0, 15, 12)
export const minute = { kind: 'rolling', ms: 60_000, burst: null } as const
export const thisMonth = { kind: 'calendar', period: 'month', timeZone: 'UTC' } as const

export const anyMatch: LimitMatch = {
  applications: null,
  teams: null,
  keys: null,
  users: null,
  models: null,
  products: null,
}

export function ruleOf(own: Partial<LimitRule> & Pick<LimitRule, 'name' | 'meter' | 'amount'>): LimitRule {
  const concurrent = own.meter.startsWith('concurrent')
  return {
    id: `ltm_${own.name}`,
    organizationId: 'org_a',
    window: concurrent ? null : minute,
    per: [],
    mode: 'enforce',
    whenExceeded: 'refuse',
    onStoreLoss: 'local-share',
    alertsAt: [],
    match: anyMatch,
    ...own,
  }
}

export function planOf(own: Partial<PlanSnapshot>): PlanSnapshot {
  return {
    id: 'plan_a',
    organizationId: 'org_a',
    slug: 'plan',
    limits: [],
    priority: 'normal',
    weight: 1,
    queue: { maxWaitMs: 1000, maxLength: 10 },
    ...own,
  }
}

export function requestOf(own: Partial<LimitRequest> = {}): LimitRequest {
  return {
    organizationId: 'org_a',
    applicationId: 'app_a',
    team: 'team-a',
    keyId: 'key_a',
    user: '',
    address: '192.0.2.7',
    model: 'model-a',
    route: 'route-a',
    productId: 'prd_a',
    planId: 'plan_a',
    inputTokens: 10,
    outputTokens: 30,
    costMicroUsd: 500,
    streamed: false,
    ...own,
  }
}

export function usedOf(own: Partial<LimitActual> = {}): LimitActual {
  return { inputTokens: 0, outputTokens: 0, costMicroUsd: 0, ...own }
}

/** Counters of one node; each call opens them for a thread. */
export function openNode(bounds = { slots: 2048, tickets: 4096 }): (owner: number) => NodeCounters {
  const buffer = createSharedCounters({ ...bounds, owners: 4 })
  return (owner) => openSharedCounters(buffer, owner)
}

export interface Client {
  readonly limiter: Limiter
  readonly limits: CompiledLimits
}

/** The verdict, which must come in the same tick. */
export function admitNow({ limiter, limits }: Client, own: Partial<LimitRequest> = {}): LimitVerdict {
  let verdict: LimitVerdict | null = null
  limiter.admit(limits, requestOf(own), (given) => {
    verdict = given
  })
  if (verdict === null) throw new Error('no verdict in this tick')
  return verdict
}

export function admitLater(
  { limiter, limits }: Client,
  own: Partial<LimitRequest> = {},
): Promise<LimitVerdict> {
  return new Promise((resolve) => limiter.admit(limits, requestOf(own), resolve))
}

/** What was reserved; throws where it was refused. */
export function reservationOf(verdict: LimitVerdict): Reservation {
  if (!verdict.allowed) throw new Error(`refused by ${verdict.rule.name}`)
  return verdict.reservation
}
