/**
 * The limits of a snapshot as the pipeline needs them: what is looked at before anybody has proven who they are, what
 * is looked at after, and what has to be reckoned for it. An organization without rules and plans is not in here.
 */
import type { LimitMeter, LimitRule, LimitTerms, PlanSnapshot, PriorityClass } from '../../domain/limits.ts'
import type { SnapshotConfig } from '../../domain/snapshot.ts'
import { type CompiledLimits, compileLimits, isHardOnOutput } from '../../limits/index.ts'

/** Of exchanges under no plan. */
export const defaultPriority: PriorityClass = 'normal'

/** What the rules of one organization make necessary; estimating costs time, so nothing is estimated in vain. */
export interface LimitNeeds {
  /** Some rule counts tokens or money. */
  readonly tokens: boolean
  readonly money: boolean
  /** Some hard budget counts money. */
  readonly hardMoney: boolean
  /** Some hard budget counts what answers have. */
  readonly hardOutput: boolean
  /** Some rule lets exchanges wait. */
  readonly queue: boolean
}

export interface SnapshotLimits {
  /** Rules that count the requests of an address, whoever calls; null: none. */
  readonly addresses: CompiledLimits | null
  /** All others; null: none. */
  readonly rules: CompiledLimits | null
  readonly plans: ReadonlyMap<string, PlanSnapshot>
  /** By organization. */
  readonly needs: ReadonlyMap<string, LimitNeeds>
}

export function compileSnapshotLimits({
  limits,
  plans,
  topUps,
}: Pick<SnapshotConfig, 'limits' | 'plans' | 'topUps'>): SnapshotLimits {
  const early = limits.filter(isDecidedByAddress)
  const late = limits.filter((rule) => !isDecidedByAddress(rule))
  const ofPlans = plans.some((plan) => plan.limits.length > 0)
  return Object.freeze({
    addresses: early.length === 0 ? null : compileLimits(early, [], topUps),
    rules: late.length === 0 && !ofPlans ? null : compileLimits(late, plans, topUps),
    plans: new Map(plans.map((plan) => [plan.id, plan])),
    needs: needsByOrganization(late, plans),
  })
}

/** Nothing but the address and the organization of the key that is presented must be known, proven or not. */
function isDecidedByAddress({ meter, per, match, whenExceeded }: LimitRule): boolean {
  return (
    meter === 'requests' &&
    whenExceeded === 'refuse' &&
    per.includes('address') &&
    per.every((subject) => subject === 'address' || subject === 'organization') &&
    Object.values(match).every((names) => names === null)
  )
}

const tokenMeters: ReadonlySet<LimitMeter> = new Set(['input-tokens', 'output-tokens', 'total-tokens'])

function needsByOrganization(
  rules: readonly LimitRule[],
  plans: readonly PlanSnapshot[],
): ReadonlyMap<string, LimitNeeds> {
  const terms = new Map<string, LimitTerms[]>()
  const add = (organizationId: string, more: readonly LimitTerms[]): void => {
    if (more.length > 0) terms.set(organizationId, [...(terms.get(organizationId) ?? []), ...more])
  }
  for (const rule of rules) add(rule.organizationId, [rule])
  for (const plan of plans) add(plan.organizationId, plan.limits)
  return new Map([...terms].map(([organizationId, list]) => [organizationId, needsOf(list)]))
}

function needsOf(terms: readonly LimitTerms[]): LimitNeeds {
  const money = terms.some(({ meter }) => meter === 'cost')
  return Object.freeze({
    tokens: money || terms.some(({ meter }) => tokenMeters.has(meter)),
    money,
    hardMoney: terms.some((each) => each.meter === 'cost' && isHardOnOutput(each)),
    hardOutput: terms.some(isHardOnOutput),
    queue: terms.some(({ whenExceeded }) => whenExceeded === 'queue'),
  })
}
