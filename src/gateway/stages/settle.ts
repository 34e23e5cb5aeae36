/**
 * What the exchange consumed and cost. The provider's figures count as given, an explicit zero too; where it gave
 * none the figures are estimates and marked so. Runs for completed, failed, aborted and disconnected exchanges alike.
 */
import { noUsage } from '../../domain/usage.ts'
import { costMicroUsd, plausibleUsage } from '../../metering/index.ts'
import type { Stage } from '../stage.ts'

export const settle: Stage = (exchange) => {
  if (exchange.settled) return 'next'
  exchange.settled = true
  exchange.usage = plausibleUsage(exchange.usage ?? exchange.estimateUsage?.() ?? noUsage)
  exchange.estimateUsage = null
  const target = exchange.target
  if (target === null) return 'next'
  const price = exchange.snapshot.prices.find(target.deployment.provider.id, exchange.servedModel)
  const lost = exchange.lostCostMicroUsd
  if (price !== null) exchange.costMicroUsd = costMicroUsd(price, exchange.usage) + lost
  else if (lost > 0) exchange.costMicroUsd = lost
  return 'next'
}
