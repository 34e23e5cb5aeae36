/**
 * Model name → route, and the right to use it. A model that does not exist and one that the key may not use are
 * the same answer, so that names cannot be probed.
 */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Exchange } from '../exchange.ts'
import { findRoute } from '../snapshot.ts'
import type { Stage } from '../stage.ts'

export const resolveModel: Stage = (exchange) => {
  if (exchange.operation?.model === 'none' || exchange.key === null) return 'next'
  const route = findRoute(exchange.snapshot, exchange.key.organizationId, exchange.model)
  if (route === null || !mayUse(exchange, route.prefix === null ? route.name : exchange.model)) {
    throw new Fault(faults.modelNotFound, { public: { model: exchange.model }, param: 'model' })
  }
  exchange.route = route
  return 'next'
}

/** The right to use a model, by its public name: the route's own name where the caller used an alias. */
export function mayUse(exchange: Exchange, model: string, operation = exchange.operation?.id ?? ''): boolean {
  const own = exchange.compiledKey?.allowsModel ?? null
  return exchange.application?.allowsModel(operation, model) === true && (own === null || own(model))
}
