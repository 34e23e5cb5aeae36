/** Which model an exchange is about: as callers name it, as providers do, and what its tokens may cost. */

import type { PriceRow } from '../domain/snapshot.ts'
import type { LimitActual } from '../limits/index.ts'
import { costAtMost, type MeteredModel } from '../metering/index.ts'
import type { Exchange } from './exchange.ts'
import type { CompiledTarget } from './snapshot.ts'

/** For pattern routes (`openai/*`) the model's own name is what follows the prefix when the prefix ends in a slash. */
export function askedModel(exchange: Exchange): string {
  const prefix = exchange.route?.prefix ?? null
  if (prefix?.endsWith('/')) return exchange.model.slice(prefix.length)
  return exchange.route === null || exchange.route.prefix !== null ? exchange.model : exchange.route.name
}

/** The route's own name where the caller used an alias: an alias is no way round a rule. */
export function publicModel({ route, model }: Exchange): string {
  return route === null || route.prefix !== null ? model : route.name
}

/** A target as it is metered. */
export function meteredModel(exchange: Exchange, target: CompiledTarget): MeteredModel {
  return (
    target.metered ?? {
      provider: target.deployment.provider.id,
      model: target.model ?? askedModel(exchange),
    }
  )
}

/** What the tokens of a target cost; null: no price is known. */
export function priceOf(exchange: Exchange, target: CompiledTarget): PriceRow | null {
  if (target.metered !== null) return target.priceRow
  return exchange.snapshot.prices.find(target.deployment.provider.id, askedModel(exchange))
}

/** What the tokens cost at most at the dearest target, whichever is chosen in the end; 0: no price is known. */
export function dearestCost(
  exchange: Exchange,
  tokens: Pick<LimitActual, 'inputTokens' | 'outputTokens'>,
): number {
  if (exchange.route === null) return 0
  let dearest = 0
  for (const target of exchange.route.targets) {
    const price = priceOf(exchange, target)
    if (price !== null) dearest = Math.max(dearest, costAtMost(price, tokens))
  }
  return dearest
}
