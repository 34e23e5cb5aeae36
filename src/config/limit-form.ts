/**
 * How a limit is written, in `gatewright.yaml` and in the admin API alike. Money is written in US dollars and kept
 * in micro-dollars; a window is a word (`minute`), a span (`30s`), or says more (`rolling` with a burst, `calendar`).
 * What JSON Schema cannot say is checked when a limit is read; each problem names its place.
 */
import { type Static, Type } from 'typebox'
import {
  type LimitMatch,
  type LimitMeter,
  type LimitTerms,
  type LimitWindow,
  limitMeters,
  limitPeriods,
  limitSubjects,
  priorityClasses,
} from '../domain/limits.ts'

const closed = { additionalProperties: false }
const { Optional: optional } = Type

export function oneOf<V extends string>(values: readonly V[], description: string) {
  return Type.Enum<V[]>([...values], { type: 'string', description })
}

export const maxLimits = 50
const longestWindowMs = 31 * 86_400_000

const spanWords = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
} as const
const spanUnits = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const
type SpanWord = keyof typeof spanWords
type SpanUnit = keyof typeof spanUnits

const spanSchemas = [
  oneOf(Object.keys(spanWords) as SpanWord[], 'A steady refill over this time.'),
  Type.String({
    description: 'Seconds, minutes, hours or days: `30s`, `5m`, `12h`, `31d`.',
    pattern: '^[1-9][0-9]{0,6}[smhd]$',
    examples: ['30s'],
  }),
] as const

/** Amounts are counts, or US dollars. */
const amountSchema = (description: string) => Type.Number({ description, exclusiveMinimum: 0 })

const windowSchema = Type.Union(
  [
    ...spanSchemas,
    Type.Object(
      {
        rolling: Type.Union([...spanSchemas], { description: 'Length of the window.' }),
        burst: optional(amountSchema('Most at once; the whole amount when left out.')),
      },
      { ...closed, description: 'A steady refill of the amount over this time, with a burst of its own.' },
    ),
    Type.Object(
      {
        calendar: oneOf(limitPeriods, 'The period that starts anew.'),
        timeZone: optional(
          Type.String({
            description: 'IANA time zone, such as `Europe/Berlin`; UTC when left out.',
            maxLength: 64,
          }),
        ),
      },
      {
        ...closed,
        description: 'A fixed period that starts anew with each turn of the calendar; for budgets.',
      },
    ),
    Type.Null(),
  ],
  {
    description:
      'The time in which the amount counts, 1 second to 31 days: `minute`, `30s`, `{ rolling: 1h, burst: 20 }` or ' +
      '`{ calendar: month, timeZone: Europe/Berlin }`. Concurrency has none.',
  },
)

const nameSchema = Type.String({
  description: 'Name, unique where the limit stands; callers see it in `RateLimit-Policy`.',
  pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
})

/** Every field of a limit as written. */
export const limitTermFields = {
  name: nameSchema,
  meter: oneOf(
    limitMeters,
    'What is counted. `cost` is in US dollars; `concurrent-*` are exchanges under way.',
  ),
  amount: amountSchema('How much: a whole number, or for `cost` US dollars with up to six decimals.'),
  window: windowSchema,
  per: Type.Array(oneOf(limitSubjects, 'A subject.'), {
    description: 'What is counted apart; empty: one counter for all that match.',
    maxItems: limitSubjects.length,
  }),
  mode: oneOf(
    ['enforce', 'warn', 'shadow'],
    '`enforce` (the default) refuses or queues; `warn` serves, tells the caller and alerts; `shadow` only counts.',
  ),
  whenExceeded: oneOf(
    ['refuse', 'queue'],
    '`refuse` (the default), or `queue`: an exchange beyond the limit waits its turn within the bounds of the plan.',
  ),
  onStoreLoss: oneOf(
    ['local-share', 'closed', 'open'],
    'While shared counters cannot be reached: go on with a share of this node, refuse, or let all pass. When left ' +
      'out: `closed` for `cost`, `local-share` for the others.',
  ),
  alertsAt: Type.Array(
    Type.Number({ description: 'A share of the amount.', exclusiveMinimum: 0, maximum: 1 }),
    {
      description: 'Shares of the amount at which an alert is raised, for example `[0.5, 0.9]`.',
      maxItems: 10,
    },
  ),
}

/** A limit as given: what is left out takes its default. */
export const givenLimitFields = {
  name: limitTermFields.name,
  meter: limitTermFields.meter,
  amount: limitTermFields.amount,
  window: optional(limitTermFields.window),
  per: optional(limitTermFields.per),
  mode: optional(limitTermFields.mode),
  whenExceeded: optional(limitTermFields.whenExceeded),
  onStoreLoss: optional(limitTermFields.onStoreLoss),
  alertsAt: optional(limitTermFields.alertsAt),
}
export const givenLimitSchema = Type.Object(givenLimitFields, closed)
export type GivenLimit = Static<typeof givenLimitSchema>

export const patterns = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u0020\\u007f*]*\\*?$' }), {
    description: `${description}, or patterns with one trailing \`*\`.`,
    minItems: 1,
    maxItems: 100,
  })

/** What a limit of its own applies to; each may be left out. */
export const limitMatchFields = {
  applications: patterns('Slugs of applications'),
  teams: patterns('Teams of applications'),
  keys: patterns('Public ids of keys'),
  users: patterns('End users that requests name'),
  models: patterns('Public model names'),
  products: patterns('Slugs of products'),
}
const matchNames = ['applications', 'teams', 'keys', 'users', 'models', 'products'] as const

export const givenMatchSchema = Type.Object(
  {
    applications: optional(limitMatchFields.applications),
    teams: optional(limitMatchFields.teams),
    keys: optional(limitMatchFields.keys),
    users: optional(limitMatchFields.users),
    models: optional(limitMatchFields.models),
    products: optional(limitMatchFields.products),
  },
  {
    ...closed,
    description: 'The limit applies where all that is named here matches; everywhere when left out.',
  },
)

export const planFields = {
  priority: oneOf(
    priorityClasses,
    'Who goes first in a queue, and is shed last under load; `normal` when left out.',
  ),
  weight: Type.Integer({
    description: 'Share of the queue among applications of one priority; 1 when left out.',
    minimum: 1,
    maximum: 1000,
  }),
  maxWaitMs: Type.Integer({
    description: 'Longest wait of an exchange in the queue, milliseconds; 10,000 when left out.',
    minimum: 0,
    maximum: 600_000,
  }),
  maxLength: Type.Integer({
    description: 'Most exchanges of one application that wait; 100 when left out.',
    minimum: 0,
    maximum: 10_000,
  }),
}
export const givenQueueSchema = Type.Object(
  { maxWaitMs: optional(planFields.maxWaitMs), maxLength: optional(planFields.maxLength) },
  { ...closed, description: 'How exchanges wait where a limit of the plan says `queue`.' },
)
/** What a plan takes where nothing is said. */
export const planDefaults = Object.freeze({
  priority: 'normal',
  weight: 1,
  queue: Object.freeze({ maxWaitMs: 10_000, maxLength: 100 }),
} as const)

/** `path` starts at the limit. */
export type ReportLimitProblem = (path: readonly (string | number)[], reason: string) => void

const microPerDollar = 1_000_000

/** Units inside; null where it is none. */
function readAmount(meter: LimitMeter, given: number): number | null {
  const units = meter === 'cost' ? Math.round(given * microPerDollar) : given
  const exact = meter !== 'cost' || Math.abs(given * microPerDollar - units) < 0.001
  return exact && units >= 1 && Number.isSafeInteger(units) ? units : null
}

/** A checked amount in units. Reports, and gives 1, where it is none. */
export function readUnits(meter: LimitMeter, given: number, report: (reason: string) => void): number {
  const units = readAmount(meter, given)
  if (units !== null) return units
  report(
    meter === 'cost'
      ? 'is an amount of US dollars above 0, with at most six decimals'
      : `is a whole number of ${meter} above 0`,
  )
  return 1
}

/** As written: US dollars for money. */
export function writeAmount(meter: LimitMeter, units: number): number {
  return meter === 'cost' ? units / microPerDollar : units
}

function readSpan(text: string): number {
  if (text in spanWords) return spanWords[text as SpanWord]
  return Number(text.slice(0, -1)) * spanUnits[text.slice(-1) as SpanUnit]
}

function writeSpan(ms: number): string {
  const word = Object.entries(spanWords).find(([, length]) => length === ms)
  if (word !== undefined) return word[0]
  const [unit, length] = Object.entries(spanUnits).find(([, each]) => ms % each === 0) ?? ['s', 1000]
  return `${ms / length}${unit}`
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

type GivenWindow = NonNullable<GivenLimit['window']>

function readWindow(meter: LimitMeter, given: GivenWindow, report: ReportLimitProblem): LimitWindow {
  if (typeof given === 'object' && 'calendar' in given) {
    const { calendar: period, timeZone = 'UTC' } = given
    if (!isTimeZone(timeZone)) report(['window', 'timeZone'], `${timeZone} is no time zone that is known`)
    return { kind: 'calendar', period, timeZone }
  }
  const { rolling, burst: own } = typeof given === 'string' ? { rolling: given, burst: undefined } : given
  const ms = readSpan(rolling)
  if (ms > longestWindowMs) report(['window'], 'is longer than 31 days; a budget takes { calendar: month }')
  const burst =
    own === undefined ? null : readUnits(meter, own, (reason) => report(['window', 'burst'], reason))
  return { kind: 'rolling', ms, burst }
}

function writeWindow(meter: LimitMeter, window: LimitWindow | null): GivenWindow | null {
  if (window === null) return null
  if (window.kind === 'calendar') return { calendar: window.period, timeZone: window.timeZone }
  const rolling = writeSpan(window.ms)
  return window.burst === null ? rolling : { rolling, burst: writeAmount(meter, window.burst) }
}

export function isConcurrency(meter: LimitMeter): boolean {
  return meter === 'concurrent-requests' || meter === 'concurrent-streams'
}

/** A limit as given, complete. What is wrong is reported, and stands in the result as something harmless. */
export function readLimitTerms(given: GivenLimit, report: ReportLimitProblem): LimitTerms {
  const { name, meter, mode = 'enforce', whenExceeded = 'refuse', per = [], alertsAt = [] } = given
  const concurrency = isConcurrency(meter)
  const window = given.window ?? null
  if (concurrency && window !== null) report(['window'], `${meter} has no window`)
  if (!concurrency && window === null) report(['window'], `${meter} needs a window, such as minute`)
  if (new Set(per).size < per.length) report(['per'], 'names a subject twice')
  if (new Set(alertsAt).size < alertsAt.length) report(['alertsAt'], 'names a share twice')
  if (mode !== 'enforce' && whenExceeded === 'queue')
    report(['whenExceeded'], `nothing waits for a limit of mode ${mode}`)
  return {
    name,
    meter,
    amount: readUnits(meter, given.amount, (reason) => report(['amount'], reason)),
    window: window === null ? null : readWindow(meter, window, report),
    per,
    mode,
    whenExceeded,
    onStoreLoss: given.onStoreLoss ?? (meter === 'cost' ? 'closed' : 'local-share'),
    alertsAt,
  }
}

/** The limits of a plan. `path` starts at the list. */
export function readPlanLimits(given: readonly GivenLimit[], report: ReportLimitProblem): LimitTerms[] {
  const names = new Set<string>()
  return given.map((each, index) => {
    if (names.has(each.name)) report([index, 'name'], `the name ${each.name} appears twice in the plan`)
    names.add(each.name)
    return readLimitTerms(each, (path, reason) => report([index, ...path], reason))
  })
}

interface LimitLists {
  readonly plans?: readonly { readonly limits?: readonly GivenLimit[] | undefined }[] | undefined
  readonly limits?: readonly GivenLimit[] | undefined
}

/** Reports each mistake in the limits of a document that a schema cannot say. */
export function checkLimits({ plans = [], limits = [] }: LimitLists, report: ReportLimitProblem): void {
  for (const [index, plan] of plans.entries())
    readPlanLimits(plan.limits ?? [], (path, reason) => report(['plans', index, 'limits', ...path], reason))
  for (const [index, limit] of limits.entries())
    readLimitTerms(limit, (path, reason) => report(['limits', index, ...path], reason))
}

/** A limit as it is written, every field said. `readLimitTerms` gives the same terms again. */
export function writeLimitTerms(terms: LimitTerms) {
  const { name, meter, per, mode, whenExceeded, onStoreLoss, alertsAt } = terms
  return {
    name,
    meter,
    amount: writeAmount(meter, terms.amount),
    window: writeWindow(meter, terms.window),
    per: [...per],
    mode,
    whenExceeded,
    onStoreLoss,
    alertsAt: [...alertsAt],
  }
}

type GivenMatch = { readonly [Name in keyof LimitMatch]?: LimitMatch[Name] | undefined }

/** Every field said; null: any. */
export function readLimitMatch(given: GivenMatch = {}): LimitMatch {
  const fields = matchNames.map((name) => [name, given[name] ?? null] as const)
  return Object.fromEntries(fields) as unknown as LimitMatch
}
