/**
 * How much is left of the rules that count by the calendar in one counter for all that match, as this node last heard
 * of it: what it holds itself, and what the central counter said it had. Nothing is fetched, so it costs little to ask.
 */
import type { LimitRule, LimitTopUp } from '../domain/limits.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import { type Calendar, createCalendar } from './calendar.ts'
import { counterKeyOf } from './subjects.ts'

export interface BudgetStanding {
  readonly rule: LimitRule
  readonly period: string
  /** 0 to 1. */
  readonly remainingRatio: number
}

export interface BudgetRules {
  readonly limits: readonly LimitRule[]
  readonly topUps: readonly LimitTopUp[]
}

export type BudgetReader = (node: NodeCounters, rules: BudgetRules, now: number) => readonly BudgetStanding[]

/** Keeps a calendar for each period and time zone; bounded by their number. */
export function createBudgetReader(): BudgetReader {
  const calendars = new Map<string, Calendar>()

  function calendarOf(period: Parameters<typeof createCalendar>[0], timeZone: string): Calendar {
    const name = `${period} ${timeZone}`
    const calendar = calendars.get(name) ?? createCalendar(period, timeZone)
    calendars.set(name, calendar)
    return calendar
  }

  return (node, { limits, topUps }, now) =>
    limits.flatMap((rule) => {
      const { window, organizationId, id } = rule
      if (window?.kind !== 'calendar' || rule.per.length > 0) return []
      const { startsAt, endsAt } = calendarOf(window.period, window.timeZone).periodAt(now)
      const added = topUps.filter(
        (topUp) => topUp.limitId === id && topUp.subject === '' && topUp.at >= startsAt && topUp.at < endsAt,
      )
      const amount = added.reduce((sum, topUp) => sum + topUp.amount, rule.amount)
      const key = counterKeyOf(organizationId, id, '')
      const lease = node.readLease(node.counter({ key, startsAt, group: organizationId, leased: true }))
      if (lease === null || lease.centralLeft === null || amount <= 0) return []
      const left = Math.max(0, lease.balance) + Math.max(0, lease.centralLeft)
      return [{ rule, period: window.period, remainingRatio: Math.min(1, left / amount) }]
    })
}
