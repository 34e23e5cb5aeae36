/**
 * What the exchange consumed and cost. The provider's figures count as given, an explicit zero too; where it gave
 * none the figures are estimates and marked so. Runs for completed, failed, aborted and disconnected exchanges alike.
 */
import { noUsage } from '../../domain/usage.ts'
import { costMicroUsd, observeInputBytes, observeInputTokens, plausibleUsage } from '../../metering/index.ts'
import type { GatewayContext } from '../context.ts'
import type { Exchange, ExchangeLimits } from '../exchange.ts'
import { meteredModel } from '../limits/limit-request.ts'
import type { Stage } from '../stage.ts'

export const settle: Stage = (exchange, ctx) => {
  if (exchange.settled) return 'next'
  exchange.settled = true
  exchange.usage = plausibleUsage(exchange.usage ?? exchange.estimateUsage?.() ?? noUsage)
  exchange.estimateUsage = null
  const { target, limits } = exchange
  if (target !== null) {
    const price = exchange.snapshot.prices.find(target.deployment.provider.id, exchange.servedModel)
    const lost = exchange.lostCostMicroUsd
    if (price !== null) exchange.costMicroUsd = costMicroUsd(price, exchange.usage) + lost
    else if (lost > 0) exchange.costMicroUsd = lost
  }
  if (limits !== null) settleLimits(exchange, ctx, limits)
  return 'next'
}

/** What was used in the end, and what the next estimates can learn from it. */
function settleLimits(exchange: Exchange, { outputs }: GatewayContext, limits: ExchangeLimits): void {
  const { usage, target, costMicroUsd: cost } = exchange
  const { inputTokens, outputTokens } = usage ?? noUsage
  limits.settle(
    goesOnUnseen(exchange) ? limits.request : { inputTokens, outputTokens, costMicroUsd: cost ?? 0 },
  )
  if (usage === null || usage.estimated || target === null) return
  const { request } = limits
  if (outputTokens > 0 && !request.isCapped)
    outputs.observe(request.organizationId, request.model, outputTokens)
  const model = meteredModel(exchange, target)
  observeInputBytes(model, exchange.body.length, usage)
  if (request.isExact) observeInputTokens(model, request.inputTokens, usage)
}

/** An answer that the provider goes on writing in the background comes to nobody's eyes: all that was reserved counts. */
function goesOnUnseen({ json, usage, target, faultCode }: Exchange): boolean {
  return json?.['background'] === true && target !== null && faultCode === '' && usage?.estimated !== false
}
