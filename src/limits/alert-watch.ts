/**
 * Sees when a counter passes a share at which its rule wants an alert (`alertsAt`), and tells it once per counter,
 * period and share. Other threads may tell the same: who stores it decides. Rules without shares cost nothing.
 *
 * What is reserved is looked at when it is settled: an estimate passes no share. Rates and concurrency have no
 * periods: theirs is a stretch of the window's length, of at least a minute, and a share is told anew in a later
 * stretch, after use has fallen below half of the lowest share.
 *
 * Bound: `maxTold` counters are remembered; of one that is forgotten an alert may be told again.
 */
import { createHash } from 'node:crypto'
import { type LimitAlertSighting, maxAlertSubjectLength } from '../domain/limit-alert.ts'
import type { Clock } from '../kernel/clock.ts'
import type { CounterTerms } from '../ports/central-counters.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import type { CountedPart } from './counted-part.ts'
import { roomOf } from './counter-terms.ts'

export interface AlertWatch {
  /** Parts have just been taken, or settled. */
  look(parts: readonly CountedPart[], when: 'taken' | 'settled'): void
}

export interface AlertWatchOptions {
  readonly counters: NodeCounters
  readonly clock: Clock
  readonly tell: (sighting: LimitAlertSighting) => void
}

interface Told {
  readonly period: number
  /** The highest share told. */
  share: number
}

const maxTold = 10_000
const shortestStretchMs = 60_000

export function createAlertWatch({ counters, clock, tell }: AlertWatchOptions): AlertWatch {
  const told = new Map<string, Told>()

  /** Units left as far as known here; null: the central counter was not heard of yet. */
  function leftOf(part: CountedPart): number | null {
    if (!part.counter.leased) return part.available
    const lease = counters.readLease(part.counter)
    return lease === null || lease.centralLeft === null
      ? null
      : lease.balance + lease.centralLeft + part.available - part.left
  }

  function lookAt(part: CountedPart): void {
    const left = leftOf(part)
    const amount = roomOf(part.terms)
    if (left === null || amount <= 0) return
    const { rule, place } = part
    const share = (amount - left) / amount
    const now = clock.now()
    const period = periodOf(part.terms, now)
    const known = told.get(place.key)
    const isOver = known !== undefined && isPeriodOver(part, known, { period, share })
    if (isOver) told.delete(place.key)
    const before = known === undefined || isOver ? 0 : known.share
    let highest = before
    for (const threshold of rule.alertsAt) {
      if (threshold <= before || threshold > share) continue
      highest = Math.max(highest, threshold)
      tell(sightingOf(part, { threshold, amount, left, period, now }))
    }
    if (highest > before) remember(place.key, { period, share: highest })
  }

  function remember(key: string, news: Told): void {
    told.delete(key)
    const [oldest] = told.size < maxTold ? [] : told.keys()
    if (oldest !== undefined) told.delete(oldest)
    told.set(key, news)
  }

  return {
    look(parts, when) {
      for (const part of parts) {
        if (part.rule.alertsAt.length === 0 || part.skipped) continue
        if ((part.kind === 'reserved') === (when === 'settled')) lookAt(part)
      }
    },
  }
}

function periodOf(terms: CounterTerms, now: number): number {
  if (terms.kind === 'calendar') return terms.startsAt
  const stretchMs = terms.kind === 'rolling' ? Math.max(shortestStretchMs, terms.windowMs) : shortestStretchMs
  return now - (now % stretchMs)
}

function isPeriodOver(
  { terms, rule }: CountedPart,
  told: Told,
  now: { readonly period: number; readonly share: number },
): boolean {
  if (told.period === now.period) return false
  return terms.kind === 'calendar' || now.share < Math.min(...rule.alertsAt) / 2
}

function sightingOf(
  { rule, place }: CountedPart,
  seen: {
    readonly threshold: number
    readonly amount: number
    readonly left: number
    readonly period: number
    readonly now: number
  },
): LimitAlertSighting {
  return {
    organizationId: rule.organizationId,
    limitId: rule.id,
    limitName: rule.name,
    meter: rule.meter,
    per: rule.per,
    subject: storableSubject(place.subject),
    periodStartsAt: seen.period,
    threshold: seen.threshold,
    amount: Math.round(seen.amount),
    used: Math.max(0, Math.round(seen.amount - seen.left)),
    at: seen.now,
  }
}

/** Users are named by callers: databases store neither NUL nor half a character. */
function storableSubject(subject: string): string {
  const text = subject.replaceAll('\u0000', '\ufffd').toWellFormed()
  if (text.length <= maxAlertSubjectLength) return text
  return `#${createHash('sha256').update(text).digest('base64url')}`
}
