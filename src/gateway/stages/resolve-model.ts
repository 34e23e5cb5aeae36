/**
 * Model name → route, and the right to use it. A model that does not exist and one that the key may not use are
 * the same answer, so that names cannot be probed.
 */
import type { JsonObject } from '../../domain/json.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { modelsOfTools } from '../body-facts.ts'
import type { Exchange } from '../exchange.ts'
import { findRoute } from '../snapshot.ts'
import type { Stage } from '../stage.ts'

export const resolveModel: Stage = (exchange) => {
  const { operation } = exchange
  if (operation === null || exchange.key === null) return 'next'
  if (operation.anyModel && !mayUse(exchange, everyModel))
    throw new Fault(faults.operationDenied, { public: { operation: operation.id } })
  if (operation.model === 'none') return 'next'
  const route = findRoute(exchange.snapshot, exchange.key.organizationId, exchange.model)
  if (route === null || !mayUse(exchange, route.prefix === null ? route.name : exchange.model)) {
    throw new Fault(faults.modelNotFound, { public: { model: exchange.model }, param: 'model' })
  }
  if (exchange.json !== null && !mayUse(exchange, everyModel)) refuseOtherModels(exchange, exchange.json)
  exchange.route = route
  return 'next'
}

/** Only the pattern `*` covers it. */
const everyModel = '*'
/** Fields in which some providers take further models. */
export const alternatives = ['models', 'fallbacks', 'fallback_models']

/** A body may not name, beside its model, another one that the key may not use. */
function refuseOtherModels(exchange: Exchange, json: JsonObject): void {
  for (const field of alternatives) if (Object.hasOwn(json, field)) throw otherModel(field)
  const models = exchange.facts === null ? modelsOfTools(json) : exchange.facts.toolModels
  if (!models.every((model) => model !== null && mayUse(exchange, model))) throw otherModel('tools')
}

export function otherModel(field: string): Fault {
  const reason = 'it may name further models only for keys that may use every model'
  return new Fault(faults.invalidField, { public: { field, reason }, param: field })
}

/** The right to use a model, by its public name: the route's own name where the caller used an alias. */
export function mayUse(exchange: Exchange, model: string, operation = exchange.operation?.id ?? ''): boolean {
  const own = exchange.compiledKey?.allowsModel ?? null
  return exchange.application?.allowsModel(operation, model) === true && (own === null || own(model))
}
