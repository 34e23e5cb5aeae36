/** The guards that hold for one exchange. */
import { compileGuardSet, type GuardSet } from '../../inspection/index.ts'
import type { Exchange } from '../exchange.ts'
import { publicModel } from '../metered-model.ts'
import type { CompiledMatch } from './snapshot-guards.ts'

/** Sets kept per organization: few of the combinations that could be ever are. */
const mostSets = 256

/** The guards that hold for an exchange whose route is known; null: none do. */
export function guardsOf(exchange: Exchange): GuardSet | null {
  const own = exchange.snapshot.guards?.get(exchange.key?.organizationId ?? '')
  if (own === undefined) return null
  const holding = own.guards.filter((guard) => holds(guard, exchange))
  const name = holding.map(({ rule }) => rule.id).join(' ')
  let set = own.sets.get(name)
  if (set === undefined) {
    set = compileGuardSet(holding.map(({ rule }) => rule))
    if (own.sets.size < mostSets) own.sets.set(name, set)
  }
  return set
}

function holds(guard: CompiledMatch, exchange: Exchange): boolean {
  const { key, route, application, operation } = exchange
  if (guard.applications?.has(key?.applicationId ?? '') === false) return false
  if (guard.keys?.(key?.keyId ?? '') === false) return false
  if (guard.routes?.(route?.name ?? '') === false) return false
  const model = route === null ? null : publicModel(exchange)
  if (guard.models?.(model ?? '') === false) return false
  if (guard.products === null) return true
  const grant = application?.grantFor(operation?.id ?? '', model)
  return grant !== undefined && grant !== null && guard.products.has(grant.productId)
}
