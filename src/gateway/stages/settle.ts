/**
 * What the exchange consumed and cost. The provider's figures count as given, an explicit zero too; where it gave
 * none the figures are estimates and marked so. Calls whose answers nobody got count beside the one that was answered.
 * Runs for completed, failed, aborted and disconnected exchanges alike.
 */
import { noUsage, type TokenUsage } from '../../domain/usage.ts'
import { costMicroUsd, observeInputBytes, observeInputTokens, plausibleUsage } from '../../metering/index.ts'
import type { Exchange, ExchangeLimits } from '../exchange.ts'
import { countUnseen, sumOfUsage } from '../lost-calls.ts'
import { meteredModel, priceOf } from '../metered-model.ts'
import type { Stage } from '../stage.ts'

export const settle: Stage = (exchange, ctx) => {
  if (exchange.settled) return 'next'
  exchange.settled = true
  const { target, limits } = exchange
  const seen = exchange.usage ?? exchange.estimateUsage?.() ?? null
  const isUnseen = target !== null && goesOnUnseen(exchange, seen)
  if (isUnseen) countUnseen({ exchange, ctx, target })
  const answered = isUnseen ? noUsage : plausibleUsage(seen ?? noUsage)
  const { lost } = exchange
  exchange.usage = lost === null ? answered : plausibleUsage(sumOfUsage(answered, lost.usage))
  exchange.estimateUsage = null
  if (target !== null) {
    const price = priceOf(exchange, target)
    const lostMicroUsd = lost?.costMicroUsd ?? 0
    if (price !== null) exchange.costMicroUsd = costMicroUsd(price, answered) + lostMicroUsd
    else if (lostMicroUsd > 0) exchange.costMicroUsd = lostMicroUsd
  }
  if (limits === null) return 'next'
  const { inputTokens, outputTokens } = exchange.usage
  limits.settle({ inputTokens, outputTokens, costMicroUsd: exchange.costMicroUsd ?? 0 })
  learn(exchange, limits, answered)
  return 'next'
}

/** An answer that the provider goes on writing in the background comes to nobody's eyes: all that it may have counts. */
function goesOnUnseen({ json, outcome, faultCode }: Exchange, seen: TokenUsage | null): boolean {
  const isUnderWay = seen?.estimated ?? outcome !== 'disconnected'
  return json?.['background'] === true && faultCode === '' && isUnderWay
}

/** What the next estimates can learn from the answer. */
function learn(exchange: Exchange, { request }: ExchangeLimits, answered: TokenUsage): void {
  const { target } = exchange
  if (answered.estimated || target === null) return
  if (answered.outputTokens > 0) request.expectation?.observe(answered.outputTokens)
  const model = meteredModel(exchange, target)
  observeInputBytes(model, exchange.body.length, answered)
  if (request.isExact) observeInputTokens(model, request.inputTokens, answered)
}
