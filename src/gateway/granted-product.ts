/** Which of an application's subscriptions an exchange is under: whose limits hold for it, and whose product it counts to. */
import type { GrantSnapshot } from '../domain/snapshot.ts'
import type { Exchange } from './exchange.ts'

/**
 * The first that has the operation and the model, as the right to use them is proven; null: none, or the model was
 * never known. Asked for once the model is resolved, and kept. Of a route by pattern the caller's model counts: a product may have only some of what the pattern names.
 */
export function grantOf(exchange: Exchange): GrantSnapshot | null {
  if (exchange.grant === undefined) exchange.grant = findGrant(exchange)
  return exchange.grant
}

function findGrant({ application, operation, route, model }: Exchange): GrantSnapshot | null {
  if (application === null || operation === null) return null
  if (route === null) return operation.model === 'none' ? application.grantFor(operation.id, null) : null
  return application.grantFor(operation.id, route.prefix === null ? route.name : model)
}
