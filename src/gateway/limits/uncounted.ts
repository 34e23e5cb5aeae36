/**
 * What cannot be counted under a budget that is enforced, and is refused for that reason.
 *
 * A batch is a file of requests: what it uses is not known when it is created, and comes to nobody's eyes but the
 * provider's. Pictures and sound are charged by piece, second or character, which no price here tells. A model without a
 * price would cost nothing. Rules that refill (requests or tokens a minute) are about pace: they let all of it pass.
 */
import type { LimitRule } from '../../domain/limits.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { CompiledLimits, LimitRequest } from '../../limits/index.ts'
import type { Exchange } from '../exchange.ts'
import { meteredModel, priceOf } from '../metered-model.ts'
import { limitFault } from './limit-faults.ts'
import type { LimitNeeds } from './snapshot-limits.ts'

export interface Counted {
  readonly limits: CompiledLimits
  readonly needs: LimitNeeds
  readonly request: LimitRequest
}

/** Why the exchange cannot be served under its budgets; null: it can. */
export function uncountedFault(exchange: Exchange, { limits, needs, request }: Counted): Fault | null {
  const { operation, route } = exchange
  if (operation === null) return null
  if (operation.anyModel) {
    const budget = budgetAgainstBatches(limits, request)
    return budget === null ? null : limitFault(faults.uncountedBatch, budget, null)
  }
  if (!needs.hardMoney || route === null || operation.isFree) return null
  const isPriced = operation.trafficClass !== 'P' && unpricedModel(exchange) === null
  const budget = isPriced ? null : moneyBudget(limits, request)
  if (budget === null) return null
  if (operation.trafficClass === 'P') return limitFault(faults.uncountedOperation, budget, null)
  const { name: limit, meter } = budget
  return new Fault(faults.unpricedModel, { public: { limit, meter, model: unpricedModel(exchange) ?? '' } })
}

/** A model to which the exchange may go and of which no price is known. */
function unpricedModel(exchange: Exchange): string | null {
  for (const target of exchange.route?.targets ?? []) {
    if (priceOf(exchange, target) === null) return meteredModel(exchange, target).model
  }
  return null
}

function moneyBudget(limits: CompiledLimits, request: LimitRequest): LimitRule | null {
  return limits.rulesOf(request).find(({ rule }) => isBudget(rule) && rule.meter === 'cost')?.rule ?? null
}

/** An enforced budget under which something that the batch may hold would count; null: there is none. */
function budgetAgainstBatches(limits: CompiledLimits, request: LimitRequest): LimitRule | null {
  for (const { rule, matches } of limits.candidatesOf(request)) {
    // A batch names no model, and may use all of them.
    if (isBudget(rule) && (rule.match.models !== null || matches(request))) return rule
  }
  return null
}

function isBudget({ mode, window, meter }: LimitRule): boolean {
  return mode === 'enforce' && window?.kind === 'calendar' && (meter === 'cost' || meter.endsWith('-tokens'))
}
