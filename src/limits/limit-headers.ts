/**
 * Limits as callers read them, as a flat list of names and values:
 *
 *   RateLimit-Policy, RateLimit   draft-ietf-httpapi-ratelimit-headers-10: one member per rule (structured fields)
 *   Retry-After                   RFC 9110 §10.2.3, whole seconds; goes before `t` where both are there
 *   x-ratelimit-*                 as OpenAI names them and its SDKs' users read them: the tightest rule of a kind
 *
 * Rules in shadow mode are not in the standings. Bound: the `maxMembers` tightest rules.
 */
import type { LimitMeter, LimitPeriod, LimitWindow } from '../domain/limits.ts'
import type { LimitStanding } from './verdict.ts'

const maxMembers = 16

/** Quota units; `requests` is what the draft assumes where none is named. */
const quotaUnits: Readonly<Record<LimitMeter, string>> = {
  requests: '',
  'input-tokens': ';qu="input-tokens"',
  'output-tokens': ';qu="output-tokens"',
  'total-tokens': ';qu="tokens"',
  cost: ';qu="micro-usd"',
  'concurrent-requests': ';qu="concurrent-requests"',
  'concurrent-streams': ';qu="concurrent-streams"',
}
/** Months have no one length, and `w` may be left out. */
const periodSeconds: Readonly<Record<LimitPeriod, number | null>> = {
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: null,
}

/**
 * @param standings tightest first
 * @param retryAfterMs of a refusal; null: none, or waiting does not help
 */
export function limitHeaders(standings: readonly LimitStanding[], retryAfterMs: number | null): string[] {
  const headers: string[] = []
  const shown = standings.slice(0, maxMembers)
  if (shown.length > 0) {
    headers.push('ratelimit-policy', shown.map(policyOf).join(', '))
    headers.push('ratelimit', shown.map(limitOf).join(', '))
  }
  addOpenAiHeaders(
    headers,
    'requests',
    standings.find(({ rule }) => rule.meter === 'requests'),
  )
  addOpenAiHeaders(
    headers,
    'tokens',
    standings.find(({ rule }) => rule.meter.endsWith('-tokens')),
  )
  if (retryAfterMs !== null) headers.push('retry-after', String(secondsOf(retryAfterMs)))
  return headers
}

function policyOf({ rule, amount }: LimitStanding): string {
  return `${quoted(rule.name)};q=${Math.floor(amount)}${quotaUnits[rule.meter]}${windowOf(rule.window)}`
}

function windowOf(window: LimitWindow | null): string {
  if (window === null) return ''
  const seconds = window.kind === 'rolling' ? Math.ceil(window.ms / 1000) : periodSeconds[window.period]
  return seconds === null ? '' : `;w=${seconds}`
}

function limitOf({ rule, remaining, resetMs }: LimitStanding): string {
  const reset = rule.window === null ? '' : `;t=${Math.ceil(resetMs / 1000)}`
  return `${quoted(rule.name)};r=${remaining}${reset}`
}

/** A string of structured fields (RFC 9651 §3.3.3): printable ASCII. */
function quoted(name: string): string {
  let text = ''
  for (const character of name) {
    if (character < ' ' || character > '~') text += '_'
    else text += character === '"' || character === '\\' ? `\\${character}` : character
  }
  return `"${text}"`
}

function addOpenAiHeaders(headers: string[], kind: string, standing: LimitStanding | undefined): void {
  if (standing === undefined) return
  headers.push(`x-ratelimit-limit-${kind}`, String(Math.floor(standing.amount)))
  headers.push(`x-ratelimit-remaining-${kind}`, String(standing.remaining))
  headers.push(`x-ratelimit-reset-${kind}`, durationOf(standing.resetMs))
}

/** As OpenAI writes durations: `20ms`, `1.5s`, `6m0s`, `2h5m0s`. */
export function durationOf(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  if (ms < 60_000) return `${Math.ceil(ms / 100) / 10}s`
  const seconds = Math.ceil(ms / 1000)
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  return `${hours > 0 ? `${hours}h` : ''}${minutes}m${seconds % 60}s`
}

function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}
