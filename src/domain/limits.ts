/**
 * Limits: how much of what, per whom, in which time. A rule is data; `limits/` compiles it. Amounts are requests,
 * tokens, micro US dollars (`cost`) or exchanges under way (`concurrent-*`).
 */

export const limitMeters = [
  'requests',
  'input-tokens',
  'output-tokens',
  'total-tokens',
  'cost',
  'concurrent-requests',
  'concurrent-streams',
] as const
export type LimitMeter = (typeof limitMeters)[number]

/** What a rule counts apart. A rule `per` application and model has one counter for each pair of the two. */
export const limitSubjects = [
  'organization',
  'team',
  'application',
  'key',
  'user',
  'address',
  'model',
  'route',
] as const
export type LimitSubject = (typeof limitSubjects)[number]

export const limitPeriods = ['minute', 'hour', 'day', 'week', 'month'] as const
export type LimitPeriod = (typeof limitPeriods)[number]

/**
 * `rolling`: GCRA, a steady refill with a burst; 1 second to 31 days. `calendar`: a fixed period that starts anew at
 * each turn of the calendar in `timeZone` (IANA name), for budgets. Concurrency has no window.
 */
export type LimitWindow =
  | { readonly kind: 'rolling'; readonly ms: number; readonly burst: number | null }
  | { readonly kind: 'calendar'; readonly period: LimitPeriod; readonly timeZone: string }

/**
 * Names or patterns with one trailing `*`; null: any. A rule applies where all that are set match. Applications and
 * products stand here by id: slugs, and patterns of them, are looked up when the rule is published.
 */
export interface LimitMatch {
  readonly applications: readonly string[] | null
  readonly teams: readonly string[] | null
  readonly keys: readonly string[] | null
  readonly users: readonly string[] | null
  readonly models: readonly string[] | null
  readonly products: readonly string[] | null
}

/** `enforce` refuses or queues; `warn` serves, tells the caller and alerts (a soft budget); `shadow` only counts. */
export type LimitMode = 'enforce' | 'warn' | 'shadow'
/** What the rule does while the store of shared counters cannot be reached. */
export type LimitStoreLoss = 'local-share' | 'closed' | 'open'

/** What a rule says, wherever it stands: alone in an organization, or in a plan. */
export interface LimitTerms {
  /** Slug, unique where the rule stands; callers see it in `RateLimit-Policy`. */
  readonly name: string
  readonly meter: LimitMeter
  readonly amount: number
  /** Null for concurrency, and only there. */
  readonly window: LimitWindow | null
  /** Empty: one counter for all that match. */
  readonly per: readonly LimitSubject[]
  readonly mode: LimitMode
  /** `queue`: an exchange beyond the rule waits its turn, within the plan's bounds, instead of being refused. */
  readonly whenExceeded: 'refuse' | 'queue'
  readonly onStoreLoss: LimitStoreLoss
  /** Shares of the amount (0 to 1) at which an alert is raised, each once per period. */
  readonly alertsAt: readonly number[]
}

/** A rule as the data plane sees it. */
export interface LimitRule extends LimitTerms {
  /** Names the counters: stays the same while the rule is edited, so that history stays. */
  readonly id: string
  readonly organizationId: string
  readonly match: LimitMatch
}

export const priorityClasses = ['critical', 'high', 'normal', 'low'] as const
export type PriorityClass = (typeof priorityClasses)[number]

/** The `LimitRule.id` of a plan's rule: what `LimitTopUp.limitId` and counters name it by. */
export function planRuleId(planId: string, name: string): string {
  return `${planId}/${name}`
}

/** How a plan's exchanges wait, where a rule of it says `queue`. */
export interface QueueTerms {
  readonly maxWaitMs: number
  /** Most exchanges of one application that wait. */
  readonly maxLength: number
}

/** A plan as the data plane sees it. Its rules count per application × product unless a rule says otherwise. */
export interface PlanSnapshot {
  readonly id: string
  readonly organizationId: string
  readonly slug: string
  readonly limits: readonly LimitTerms[]
  readonly priority: PriorityClass
  /** Share of the queue among applications of one priority. */
  readonly weight: number
  readonly queue: QueueTerms
}

/** Raises the amount of one counter of a calendar rule for the period in which it falls. */
export interface LimitTopUp {
  readonly id: string
  readonly organizationId: string
  readonly limitId: string
  /** The counter, as `limits explain` shows it: subject values in the order of the rule's `per`, joined by `|`. */
  readonly subject: string
  readonly amount: number
  /** Unix milliseconds; it counts in the period that holds this instant. */
  readonly at: number
}
