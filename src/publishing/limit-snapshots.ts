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

interface Slugged {
  readonly id: string
  readonly organizationId: string
  readonly slug: string
}

/** Ids of the records whose slug or id the names mean; none: the limit applies to nothing. Null stays any. */
function idsOf(
  names: readonly string[] | null,
  organizationId: string,
  records: readonly Slugged[],
): readonly string[] | null {
  if (names === null) return null
  const exact = new Set(names)
  const prefixes = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  const means = ({ id, slug }: Slugged): boolean =>
    exact.has(slug) || exact.has(id) || prefixes.some((prefix) => slug.startsWith(prefix))
  return records
    .filter((record) => record.organizationId === organizationId && means(record))
    .map((record) => record.id)
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
