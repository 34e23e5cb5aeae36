/**
 * What an answer tells about the limits that it counts against:
 *
 *   RateLimit-Policy: "team-minute";q=100;w=60, "app-tokens";q=50000;w=60;qu="tokens"
 *   RateLimit: "team-minute";r=42;t=17, "app-tokens";r=31000;t=23       (draft-ietf-httpapi-ratelimit-headers §3, §4)
 *   x-ratelimit-{limit,remaining,reset}-{requests,tokens}               (what clients of OpenAI read)
 *   x-gatewright-limit-warning: soft-budget
 *
 * Bound: the eight rules that are nearest to their amounts. Rules in `shadow` mode never show.
 */
import type { LimitMeter, LimitPeriod, LimitRule } from '../../domain/limits.ts'
import type { LimitStanding } from '../../limits/index.ts'
import type { Exchange } from '../exchange.ts'

const maxShown = 8
/** Structured integers have 15 digits (RFC 9651 §3.3.1). */
const largestInteger = 999_999_999_999_999

/** The unit of a quota; requests are the default and are not named. */
const units: Readonly<Record<LimitMeter, string | null>> = Object.freeze({
  requests: null,
  'input-tokens': 'input-tokens',
  'output-tokens': 'output-tokens',
  'total-tokens': 'tokens',
  cost: 'micro-usd',
  'concurrent-requests': 'concurrent-requests',
  'concurrent-streams': 'concurrent-streams',
})
/** Null: months differ. */
const periodSeconds: Readonly<Record<LimitPeriod, number | null>> = Object.freeze({
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: null,
})
interface OpenaiNames {
  readonly limit: string
  readonly remaining: string
  readonly reset: string
}
function openaiNames(of: string): OpenaiNames {
  return Object.freeze({
    limit: `x-ratelimit-limit-${of}`,
    remaining: `x-ratelimit-remaining-${of}`,
    reset: `x-ratelimit-reset-${of}`,
  })
}
const requestNames = openaiNames('requests')
const tokenNames = openaiNames('tokens')
const openaiKinds: Readonly<Partial<Record<LimitMeter, OpenaiNames>>> = Object.freeze({
  requests: requestNames,
  'input-tokens': tokenNames,
  'output-tokens': tokenNames,
  'total-tokens': tokenNames,
})

/** Append what the limits of an exchange have to say. */
export function describeLimits({ limits, addressStandings }: Exchange, headers: string[]): void {
  if (limits !== null && limits.exceeded.length > 0) describeWarnings(limits.exceeded, headers)
  const own = limits?.standings ?? addressStandings
  const standings = limits === null || addressStandings.length === 0 ? own : [...own, ...addressStandings]
  if (standings.length > 0) headers.push(...fieldsOf(standings))
}

/** Under load many answers tell the same standings. */
const fieldsOfStandings = new WeakMap<readonly LimitStanding[], readonly string[]>()

function fieldsOf(standings: readonly LimitStanding[]): readonly string[] {
  let fields = fieldsOfStandings.get(standings)
  if (fields === undefined) {
    fields = writeFields(standings)
    fieldsOfStandings.set(standings, fields)
  }
  return fields
}

function writeFields(standings: readonly LimitStanding[]): readonly string[] {
  const count = Math.min(standings.length, maxShown)
  let policies = ''
  let left = ''
  for (let at = 0; at < count; at += 1) {
    const standing = standings[at]
    if (standing === undefined) break
    const separator = at === 0 ? '' : ', '
    policies += separator + policyItem(standing)
    left += separator + standingItem(standing)
  }
  const fields = ['ratelimit-policy', policies, 'ratelimit', left]
  describeForOpenai(fields, standings)
  return fields
}

function describeWarnings(exceeded: readonly { readonly rule: LimitRule }[], headers: string[]): void {
  const names = exceeded.filter(({ rule }) => rule.mode === 'warn').map(({ rule }) => rule.name)
  if (names.length > 0) headers.push('x-gatewright-limit-warning', names.slice(0, maxShown).join(', '))
}

interface WrittenPolicy {
  readonly amount: number
  readonly text: string
}
/** Rules live as long as their snapshot; only top-ups change an amount. */
const written = new WeakMap<LimitRule, WrittenPolicy>()

function policyItem({ rule, amount }: LimitStanding): string {
  const known = written.get(rule)
  if (known?.amount === amount) return known.text
  const seconds = windowSeconds(rule)
  const unit = units[rule.meter]
  const window = seconds === null ? '' : `;w=${seconds}`
  const text = `"${rule.name}";q=${integer(amount)}${window}${unit === null ? '' : `;qu="${unit}"`}`
  written.set(rule, { amount, text })
  return text
}

function standingItem({ rule, remaining, resetMs }: LimitStanding): string {
  const time = resetMs > 0 ? `;t=${Math.ceil(resetMs / 1000)}` : ''
  return `"${rule.name}";r=${integer(remaining)}${time}`
}

function windowSeconds({ window }: LimitRule): number | null {
  if (window === null) return null
  return window.kind === 'calendar' ? periodSeconds[window.period] : Math.ceil(window.ms / 1000)
}

function integer(value: number): number {
  return Math.min(largestInteger, Math.max(0, Math.floor(value)))
}

function describeForOpenai(headers: string[], standings: readonly LimitStanding[]): void {
  let requestsTold = false
  let tokensTold = false
  for (const standing of standings) {
    const kind = openaiKinds[standing.rule.meter]
    if (kind === undefined || (kind === requestNames ? requestsTold : tokensTold)) continue
    if (kind === requestNames) requestsTold = true
    else tokensTold = true
    const { amount, remaining, resetMs } = standing
    headers.push(
      kind.limit,
      String(integer(amount)),
      kind.remaining,
      String(integer(remaining)),
      kind.reset,
      duration(resetMs),
    )
  }
}

/** As OpenAI writes it: `17ms`, `1s`, `6m0s`, `23h59m1s`. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.ceil(ms))}ms`
  const seconds = Math.ceil(ms / 1000)
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const ofHours = hours > 0 ? `${hours}h` : ''
  const ofMinutes = hours > 0 || minutes > 0 ? `${minutes}m` : ''
  return `${ofHours}${ofMinutes}${seconds % 60}s`
}
