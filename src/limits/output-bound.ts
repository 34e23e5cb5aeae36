/**
 * Answers whose length the caller leaves open, under hard budgets. A budget that is enforced must hold although nobody
 * knows how long the answer will be, so the answer gets a cap and the budget puts all of it aside. Rules that refill
 * are about pace: they go by what is expected.
 */
import type { NodeCounters } from '../ports/node-counters.ts'
import type { LimitPart } from './limit-part.ts'
import type { BudgetRoom, LimitRequest } from './limit-request.ts'
import { isHardOnOutput, unitsOf } from './meters.ts'

/** What to look at: the parts of one exchange, and where their counters stand. */
export interface BoundParts {
  readonly parts: readonly LimitPart[]
  readonly counters: NodeCounters
  readonly now: number
}

/** Put aside what an open-ended answer may have at most. */
export function boundOutput(request: LimitRequest, { parts, counters, now }: BoundParts): void {
  const budgets = parts.filter(({ rule }) => isHardOnOutput(rule))
  if (budgets.length === 0) return
  const rooms = budgets.map((part) => ({ meter: part.rule.meter, left: leftIn(part, counters, now) }))
  putAside(request, budgets, rooms)
}

/** Put aside the least. False: that is what is asked for already, or the answer has its own cap. */
export function boundOutputLeast(request: LimitRequest, parts: readonly LimitPart[]): boolean {
  const budgets = request.isOpenEnded === true ? parts.filter(({ rule }) => isHardOnOutput(rule)) : []
  const before = budgets.map(({ units }) => units)
  if (budgets.length > 0) putAside(request, budgets, [])
  return budgets.some(({ units }, at) => units < (before[at] ?? 0))
}

function putAside(request: LimitRequest, budgets: readonly LimitPart[], rooms: readonly BudgetRoom[]): void {
  const figures = request.bound?.(rooms)
  if (figures === undefined) return
  for (const part of budgets) part.units = unitsOf(part.rule.meter, figures)
}

/** As far as this node knows: a lease is a small part of what there is. */
function leftIn({ counter, terms }: LimitPart, counters: NodeCounters, now: number): number {
  const amount = terms.kind === 'rolling' ? terms.burst : terms.amount
  if (!counter.leased) return Math.max(0, counters.read(counter, terms, now)?.left ?? amount)
  const lease = counters.readLease(counter)
  return lease === null ? amount : Math.max(0, lease.balance) + (lease.centralLeft ?? amount)
}
