/**
 * The organization's policies decide on the call, once its model is known. Deny by default. A call that could use
 * other models than the one it names needs each of them allowed: no policy is got around by naming a model
 * elsewhere. The caller learns that a policy denies it, not which; operators find its name in the usage record.
 */
import type { AccessDecision, CalledModel, OrganizationPolicies } from '../../access/index.ts'
import { operations } from '../../domain/operations.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { modelsOfTools } from '../body-facts.ts'
import type { Exchange } from '../exchange.ts'
import { findRoute } from '../snapshot.ts'
import type { Stage } from '../stage.ts'
import { alternatives, otherModel } from './resolve-model.ts'

/** What a file of requests may ask for. */
const operationsOnModels = operations.filter(({ model }) => model !== 'none')

export const applyPolicies: Stage = (exchange) => {
  const { operation, route, model } = exchange
  const policies = policiesOf(exchange)
  if (policies === null || operation === null) return 'next'
  const named =
    route === null ? null : calledModel(exchange, operation.id, { route: route.name, asked: model })
  const decision = decideOn(exchange, policies, { operation: operation.id, model: named })
  exchange.policies = decision.policies
  require(decision)
  if (operation.anyModel) requireEveryModel(exchange, policies)
  if (route !== null) requireOtherModels(exchange, policies)
  return 'next'
}

/** Null: the organization has none, and everything is as its keys and subscriptions say. */
function policiesOf({ snapshot, key }: Exchange): OrganizationPolicies | null {
  return key === null ? null : (snapshot.policies?.get(key.organizationId) ?? null)
}

/** For lists of models: whether policies let the caller use it for the operation. */
export function policiesAllow(exchange: Exchange, routeName: string, operation: string): boolean {
  const policies = policiesOf(exchange)
  if (policies === null) return true
  const model = calledModel(exchange, operation, { route: routeName, asked: routeName })
  return decideOn(exchange, policies, { operation, model }).isAllowed
}

function calledModel(
  { application }: Exchange,
  operation: string,
  { route, asked }: Pick<CalledModel, 'route' | 'asked'>,
): CalledModel {
  const name = route.endsWith('*') ? asked : route
  return { route, asked, productId: application?.grantFor(operation, name)?.productId ?? null }
}

function decideOn(
  { key, isToken, clientAddress, startedAt }: Exchange,
  policies: OrganizationPolicies,
  { operation, model }: { readonly operation: string; readonly model: CalledModel | null },
): AccessDecision {
  return policies.decide({
    keyId: key?.keyId ?? '',
    environment: key?.environment ?? '',
    isToken,
    applicationId: key?.applicationId ?? '',
    operation,
    model,
    address: clientAddress,
    now: startedAt,
  })
}

function require({ isAllowed, policies }: AccessDecision): void {
  if (isAllowed) return
  const internal = policies.length === 0 ? 'no policy permits it' : `forbidden by ${policies.join(', ')}`
  throw new Fault(faults.policyDenied, { internal })
}

/** A batch is a file of requests for any model: each route must be allowed for each operation. */
function requireEveryModel(exchange: Exchange, policies: OrganizationPolicies): void {
  const routes = exchange.snapshot.organizations.get(exchange.key?.organizationId ?? '')
  if (routes === undefined) return
  // Through whichever product the file itself is sent, where none has the operation.
  const through = exchange.application?.grantFor(exchange.operation?.id ?? '', null)?.productId ?? null
  for (const { name } of new Set([...routes.exact.values(), ...routes.patterns])) {
    for (const { id: operation } of operationsOnModels) {
      const model = calledModel(exchange, operation, { route: name, asked: name })
      const productId = model.productId ?? through
      require(decideOn(exchange, policies, { operation, model: { ...model, productId } }))
    }
  }
}

/** Models that the body names beside its own: those of tools, and fields in which some providers take fallbacks. */
function requireOtherModels(exchange: Exchange, policies: OrganizationPolicies): void {
  const { json, facts, operation, key, snapshot } = exchange
  if (json === null || operation === null) return
  for (const field of alternatives) if (Object.hasOwn(json, field)) throw otherModel(field)
  for (const asked of facts === null ? modelsOfTools(json) : facts.toolModels) {
    if (asked === null) throw otherModel('tools')
    const route = findRoute(snapshot, key?.organizationId ?? '', asked)?.name ?? asked
    const model = calledModel(exchange, operation.id, { route, asked })
    require(decideOn(exchange, policies, { operation: operation.id, model }))
  }
}
