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
const openaiKinds: Readonly<Partial<Record<LimitMeter, 'requests' | 'tokens'>>> = Object.freeze({
  requests: 'requests',
  'input-tokens': 'tokens',
  'output-tokens': 'tokens',
  'total-tokens': 'tokens',
})

/** Append what the limits of an exchange have to say. */
export function describeLimits({ limits, addressStandings }: Exchange, headers: string[]): void {
  const warnings = (limits?.exceeded ?? [])
    .filter(({ rule }) => rule.mode === 'warn')
    .map(({ rule }) => rule.name)
  if (warnings.length > 0) headers.push('x-gatewright-limit-warning', warnings.slice(0, maxShown).join(', '))
  const standings = [...(limits?.standings ?? []), ...addressStandings]
  if (standings.length === 0) return
  const shown = standings.length > maxShown ? standings.slice(0, maxShown) : standings
  headers.push('ratelimit-policy', shown.map(policyItem).join(', '))
  headers.push('ratelimit', shown.map(standingItem).join(', '))
  describeForOpenai(headers, standings)
}

function policyItem({ rule, amount }: LimitStanding): string {
  const seconds = windowSeconds(rule)
  const unit = units[rule.meter]
  return `"${rule.name}";q=${integer(amount)}${seconds === null ? '' : `;w=${seconds}`}${unit === null ? '' : `;qu="${unit}"`}`
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
  const told = new Set<string>()
  for (const { rule, amount, remaining, resetMs } of standings) {
    const kind = openaiKinds[rule.meter]
    if (kind === undefined || told.has(kind)) continue
    told.add(kind)
    headers.push(
      `x-ratelimit-limit-${kind}`,
      String(integer(amount)),
      `x-ratelimit-remaining-${kind}`,
      String(integer(remaining)),
      `x-ratelimit-reset-${kind}`,
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
