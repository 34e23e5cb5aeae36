/** A rule for tests: two requests a minute over the whole organization `org_a`, unless said otherwise. */
import type { LimitMatch, LimitRule } from '../../domain/limits.ts'

export const matchesAll: LimitMatch = Object.freeze({
  applications: null,
  teams: null,
  keys: null,
  users: null,
  models: null,
  products: null,
})

export function testLimit(own: Partial<LimitRule> & Pick<LimitRule, 'id'>): LimitRule {
  return {
    organizationId: 'org_a',
    name: own.id,
    meter: 'requests',
    amount: 2,
    window: { kind: 'rolling', ms: 60_000, burst: null },
    per: [],
    mode: 'enforce',
    whenExceeded: 'refuse',
    onStoreLoss: 'closed',
    alertsAt: [],
    match: matchesAll,
    ...own,
  }
}
