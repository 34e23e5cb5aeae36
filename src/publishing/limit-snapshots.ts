/**
 * Stored limits, plans and top-ups → what the data plane counts by. Applications and products that a limit names by
 * slug become ids here, patterns included, so that the data plane compares ids alone.
 */
import type { Limit, Plan, TopUp } from '../domain/entities.ts'
import {
  type LimitMeter,
  type LimitRule,
  type LimitTopUp,
  type PlanSnapshot,
  planRuleId,
} from '../domain/limits.ts'
import type { ConfigurationRecords } from '../ports/store.ts'
import { idsOf } from './ids-of.ts'

export interface LimitSnapshots {
  readonly limits: readonly LimitRule[]
  readonly plans: readonly PlanSnapshot[]
  readonly topUps: readonly LimitTopUp[]
}

/** Longer than any calendar period: an older top-up falls in none that is counted. */
const topUpLifeMs = 32 * 86_400_000

export function limitSnapshots(records: ConfigurationRecords, now: number): LimitSnapshots {
  return {
    limits: records.limits.map((limit) => ruleOf(limit, records)),
    plans: records.plans.map(planSnapshot),
    topUps: liveTopUps(records, now),
  }
}

function ruleOf(limit: Limit, { applications, products }: ConfigurationRecords): LimitRule {
  const { id, organizationId, name, meter, amount, window, per } = limit
  const { mode, whenExceeded, onStoreLoss, alertsAt, match } = limit
  return {
    id,
    organizationId,
    name,
    meter,
    amount,
    window,
    per,
    mode,
    whenExceeded,
    onStoreLoss,
    alertsAt,
    match: {
      ...match,
      applications: idsOf(match.applications, organizationId, applications),
      products: idsOf(match.products, organizationId, products),
    },
  }
}

function planSnapshot({ id, organizationId, slug, limits, priority, weight, queue }: Plan): PlanSnapshot {
  return { id, organizationId, slug, limits, priority, weight, queue }
}

/** Those that a period of now or later may hold, of limits that are there and still meter the same. */
function liveTopUps({ limits, plans, topUps }: ConfigurationRecords, now: number): LimitTopUp[] {
  const meters = new Map<string, LimitMeter>()
  for (const limit of limits) meters.set(limit.id, limit.meter)
  for (const plan of plans) {
    for (const terms of plan.limits) meters.set(planRuleId(plan.id, terms.name), terms.meter)
  }
  const isLive = ({ limitId, meter, at }: TopUp): boolean =>
    at > now - topUpLifeMs && meters.get(limitId) === meter
  return topUps.filter(isLive).map(({ id, organizationId, limitId, subject, amount, at }) => ({
    id,
    organizationId,
    limitId,
    subject,
    amount,
    at,
  }))
}
