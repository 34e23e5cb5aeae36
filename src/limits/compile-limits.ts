/**
 * Rules, compiled with a snapshot: an exchange finds those that may apply without looking at all of them. A rule is
 * filed under the keys, applications or products that it names without a pattern; the others under its organization.
 */
import {
  type LimitMatch,
  type LimitMeter,
  type LimitRule,
  type LimitSubject,
  type LimitTerms,
  type LimitTopUp,
  type PlanSnapshot,
  planRuleId,
} from '../domain/limits.ts'
import type { CounterTerms } from '../ports/central-counters.ts'
import type { AllottedPlace } from './allotment.ts'
import { type Calendar, createCalendar } from './calendar.ts'
import type { NamedPlace } from './counted-part.ts'
import type { LimitRequest } from './limit-request.ts'
import { subjectOf } from './subjects.ts'

/** A counter of a rule, with its terms of now. */
export interface RulePlace extends AllottedPlace {
  /** Exchanges counted one by one since `heatSince`. */
  heat: number
  heatSince: number
}

export function placeOf(name: NamedPlace): RulePlace {
  return { ...name, lastLeft: null, allotment: null, heat: 0, heatSince: 0 }
}

export interface CompiledRule {
  readonly rule: LimitRule
  /** Null: none (concurrency, rolling). */
  readonly calendar: Calendar | null
  /** Terms that do not depend on time and subject; null: calendar. */
  readonly fixedTerms: CounterTerms | null
  readonly topUps: readonly LimitTopUp[]
  /** Whether all that the rule matches by matches. */
  readonly matches: (request: LimitRequest) => boolean
  readonly subjectOf: (request: LimitRequest) => string
  /** Counters met so far, by subject. Bounded over all rules by `maxPlaces`. */
  readonly places: Map<string, RulePlace>
}

/** One thread's: it caches what one limiter found. */
export interface CompiledLimits {
  readonly ruleCount: number
  /** The rules that count this request, each once. */
  rulesOf(request: LimitRequest): readonly CompiledRule[]
  /** All rules that stand where this request could meet them, for explanations. */
  candidatesOf(request: LimitRequest): readonly CompiledRule[]
  /** Keep `place` for `rule`. */
  keep(rule: CompiledRule, place: RulePlace): void
}

/** About 4 MB of each thread. */
const maxPlaces = 10_000
const anyMatch: LimitMatch = {
  applications: null,
  teams: null,
  keys: null,
  users: null,
  models: null,
  products: null,
}

/** Throws a RangeError where a rule names no time zone that exists; publishing refuses those before. */
export function compileLimits(
  rules: readonly LimitRule[],
  plans: readonly PlanSnapshot[],
  topUps: readonly LimitTopUp[],
): CompiledLimits {
  const calendars = new Map<string, Calendar>()
  const compile = (rule: LimitRule, readSubject: CompiledRule['subjectOf']): CompiledRule =>
    compileRule(rule, { calendars, topUps, subjectOf: readSubject })
  const byPlan = new Map<string, readonly CompiledRule[]>()
  for (const plan of plans) {
    byPlan.set(
      plan.id,
      plan.limits.map((terms) => compile(ruleOfPlan(plan, terms), subjectReader(terms.per, bySubscription))),
    )
  }
  return new Limits(
    rules.map((rule) => compile(rule, subjectReader(rule.per, forAll))),
    byPlan,
  )
}

/** A rule of a plan as a rule of its own. Its id is where its counters and top-ups are found. */
function ruleOfPlan(plan: PlanSnapshot, terms: LimitTerms): LimitRule {
  return {
    ...terms,
    id: planRuleId(plan.id, terms.name),
    organizationId: plan.organizationId,
    match: anyMatch,
  }
}

function subjectReader(
  per: readonly LimitSubject[],
  whenNone: (request: LimitRequest) => string,
): CompiledRule['subjectOf'] {
  return per.length === 0 ? whenNone : (request) => subjectOf(per, request)
}
const forAll = (): string => ''
const bySubscription = (request: LimitRequest): string => `${request.applicationId}|${request.productId}`

interface Surroundings {
  readonly calendars: Map<string, Calendar>
  readonly topUps: readonly LimitTopUp[]
  readonly subjectOf: CompiledRule['subjectOf']
}

function compileRule(rule: LimitRule, known: Surroundings): CompiledRule {
  const { window } = rule
  let calendar: Calendar | null = null
  if (window?.kind === 'calendar') {
    const name = `${window.period} ${window.timeZone}`
    calendar = known.calendars.get(name) ?? createCalendar(window.period, window.timeZone)
    known.calendars.set(name, calendar)
  }
  return {
    rule,
    calendar,
    fixedTerms: fixedTermsOf(rule),
    topUps: calendar === null ? [] : known.topUps.filter((topUp) => topUp.limitId === rule.id),
    matches: compileMatch(rule.match, rule.meter),
    subjectOf: known.subjectOf,
    places: new Map(),
  }
}

function fixedTermsOf({ window, amount }: LimitRule): CounterTerms | null {
  if (window === null) return { kind: 'concurrency', amount }
  if (window.kind === 'calendar') return null
  return { kind: 'rolling', amount, windowMs: window.ms, burst: window.burst ?? amount }
}

/** Terms of a rule's counter at `now`. */
export function termsAt(compiled: CompiledRule, subject: string, now: number): CounterTerms {
  if (compiled.fixedTerms !== null) return compiled.fixedTerms
  const { startsAt, endsAt } = compiled.calendar?.periodAt(now) ?? { startsAt: 0, endsAt: 0 }
  let amount = compiled.rule.amount
  for (const topUp of compiled.topUps) {
    if (topUp.subject === subject && topUp.at >= startsAt && topUp.at < endsAt) amount += topUp.amount
  }
  return { kind: 'calendar', amount, startsAt, endsAt }
}

type Test = (value: string) => boolean

/** Names, or patterns with one trailing `*`; null: any. */
function compileNames(names: readonly string[] | null): Test | null {
  if (names === null) return null
  const exact = new Set(names.filter((name) => !name.endsWith('*')))
  const prefixes = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  if (prefixes.length === 0) return (value) => exact.has(value)
  return (value) => exact.has(value) || prefixes.some((prefix) => value.startsWith(prefix))
}

const matchedFields = [
  ['applications', (request: LimitRequest) => request.applicationId],
  ['teams', (request: LimitRequest) => request.team],
  ['keys', (request: LimitRequest) => request.keyId],
  ['users', (request: LimitRequest) => request.user],
  ['models', (request: LimitRequest) => request.model],
  ['products', (request: LimitRequest) => request.productId],
] as const

const anyRequest = (): boolean => true

function compileMatch(match: LimitMatch, meter: LimitMeter): (request: LimitRequest) => boolean {
  const tests: ((request: LimitRequest) => boolean)[] = []
  for (const [field, read] of matchedFields) {
    const test = compileNames(match[field])
    if (test !== null) tests.push((request) => test(read(request)))
  }
  if (meter === 'concurrent-streams') tests.push((request) => request.streamed)
  if (tests.length === 0) return anyRequest
  return (request) => tests.every((test) => test(request))
}

/** What of the rule's match does not hold, for explanations. */
export function mismatchesOf({ rule }: CompiledRule, request: LimitRequest): readonly string[] {
  const found: string[] = matchedFields
    .filter(([field, read]) => compileNames(rule.match[field])?.(read(request)) === false)
    .map(([field]) => field)
  if (rule.meter === 'concurrent-streams' && !request.streamed) found.push('streams')
  return found
}

/** The most selective field that a rule names without a pattern; '': its organization. */
const filedBy = ['keys', 'applications', 'products'] as const

function drawersOf(rule: LimitRule): readonly string[] {
  for (const field of filedBy) {
    const names = rule.match[field]
    if (names?.every((name) => !name.endsWith('*')) === true) {
      return names.map((name) => `${rule.organizationId} ${field} ${name}`)
    }
  }
  return [rule.organizationId]
}

const noRules: readonly CompiledRule[] = Object.freeze([])

/** Rules that are found in one place. */
interface Drawer {
  readonly rules: CompiledRule[]
  /** All of them count whatever the request is. */
  countsAll: boolean
}

function addTo(drawer: Drawer, compiled: CompiledRule): void {
  drawer.rules.push(compiled)
  drawer.countsAll &&= compiled.matches === anyRequest
}

class Limits implements CompiledLimits {
  readonly ruleCount: number
  readonly #drawers = new Map<string, Drawer>()
  readonly #usedFields: readonly (typeof filedBy)[number][]
  readonly #all: readonly CompiledRule[]
  readonly #byPlan = new Map<string, Drawer>()
  #placeCount = 0

  constructor(rules: readonly CompiledRule[], byPlan: ReadonlyMap<string, readonly CompiledRule[]>) {
    for (const [planId, own] of byPlan) {
      const drawer = { rules: [], countsAll: true }
      for (const compiled of own) addTo(drawer, compiled)
      this.#byPlan.set(planId, drawer)
    }
    this.#all = [...rules, ...[...byPlan.values()].flat()]
    this.ruleCount = this.#all.length
    const used = new Set<string>()
    for (const compiled of rules) {
      for (const name of new Set(drawersOf(compiled.rule))) {
        const drawer = this.#drawers.get(name) ?? { rules: [], countsAll: true }
        this.#drawers.set(name, drawer)
        addTo(drawer, compiled)
        used.add(name.split(' ')[1] ?? '')
      }
    }
    this.#usedFields = filedBy.filter((field) => used.has(field))
  }

  rulesOf(request: LimitRequest): readonly CompiledRule[] {
    if (this.ruleCount === 0) return noRules
    let found = rulesIn(this.#drawers.get(request.organizationId), request, noRules)
    for (const field of this.#usedFields) {
      found = rulesIn(this.#drawers.get(drawerOf(field, request)), request, found)
    }
    return this.#byPlan.size === 0 ? found : rulesIn(this.#byPlan.get(request.planId), request, found)
  }

  candidatesOf(request: LimitRequest): readonly CompiledRule[] {
    const ofPlan = new Set(this.#byPlan.get(request.planId)?.rules)
    const ofPlans = new Set([...this.#byPlan.values()].flatMap(({ rules }) => rules))
    return this.#all.filter(
      (compiled) =>
        compiled.rule.organizationId === request.organizationId &&
        (!ofPlans.has(compiled) || ofPlan.has(compiled)),
    )
  }

  keep(compiled: CompiledRule, place: RulePlace): void {
    if (this.#placeCount >= maxPlaces) {
      for (const each of this.#all) each.places.clear()
      this.#placeCount = 0
    }
    if (!compiled.places.has(place.subject)) this.#placeCount += 1
    compiled.places.set(place.subject, place)
  }
}

function drawerOf(field: (typeof filedBy)[number], request: LimitRequest): string {
  const value =
    field === 'keys' ? request.keyId : field === 'applications' ? request.applicationId : request.productId
  return `${request.organizationId} ${field} ${value}`
}

/** `found`, and those of `drawer` that count the request. */
function rulesIn(
  drawer: Drawer | undefined,
  request: LimitRequest,
  found: readonly CompiledRule[],
): readonly CompiledRule[] {
  if (drawer === undefined) return found
  const own = drawer.countsAll ? drawer.rules : drawer.rules.filter(({ matches }) => matches(request))
  return found.length === 0 ? own : [...found, ...own]
}
