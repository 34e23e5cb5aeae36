/**
 * Take from the limits what the exchange may use at most: a request, a place among those under way, the estimated input
 * and the output cap in tokens and money. `settle` puts right what was used in the end. Where a rule lets exchanges
 * wait, this is where they do.
 */
import { LimitHold } from '../limits/limit-hold.ts'
import { AskedRequest } from '../limits/limit-request.ts'
import { uncountedFault } from '../limits/uncounted.ts'
import type { Stage } from '../stage.ts'

export const reserve: Stage = (exchange, ctx) => {
  const { key, snapshot } = exchange
  const { rules, needs: byOrganization, plans } = snapshot.limits
  const needs = key === null ? undefined : byOrganization.get(key.organizationId)
  if (rules === null || needs === undefined) return 'next'
  const request = new AskedRequest(exchange, needs, ctx.outputs)
  const uncounted = uncountedFault(exchange, { limits: rules, needs, request })
  if (uncounted !== null) throw uncounted
  const hold = new LimitHold(exchange, {
    limiter: ctx.limiter,
    queue: ctx.queue,
    limits: rules,
    request,
    plan: plans.size === 0 ? null : (plans.get(request.planId) ?? null),
    mayWait: needs.queue,
  })
  exchange.limits = hold
  return hold.begin() ? 'next' : 'wait'
}
