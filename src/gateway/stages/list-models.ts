/**
 * `/v1/models`: the routes that this key may use for at least one operation, in the shape of the caller's SDK.
 * Runs behind authentication and authorization like everything else.
 */
import { operations } from '../../domain/operations.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { type Exchange, headerOf } from '../exchange.ts'
import { sendJson } from '../respond.ts'
import type { CompiledRoute } from '../snapshot.ts'
import type { Stage } from '../stage.ts'
import { policiesAllow } from './apply-policies.ts'
import { mayUse } from './resolve-model.ts'

const operationsWithModel = operations
  .filter((operation) => operation.model !== 'none')
  .map((operation) => operation.id)

interface ListedModel {
  readonly name: string
  readonly route: CompiledRoute
}

export const listModels: Stage = (exchange) => {
  const models = usableModels(exchange)
  const anthropic = headerOf(exchange.inbound.headers, 'anthropic-version') !== undefined
  const describe = anthropic ? describeForAnthropic : describeForOpenAI
  const asked = exchange.pathModel
  if (asked !== '') {
    const model = models.find((candidate) => candidate.name === asked)
    if (model === undefined) throw new Fault(faults.modelNotFound, { public: { model: asked } })
    sendJson(exchange, 200, JSON.stringify(describe(model)))
  } else {
    const data = models.map(describe)
    const list = anthropic
      ? { data, has_more: false, first_id: models[0]?.name ?? null, last_id: models.at(-1)?.name ?? null }
      : { object: 'list', data }
    sendJson(exchange, 200, JSON.stringify(list))
  }
  exchange.finish('completed')
  return 'wait'
}

function usableModels(exchange: Exchange): ListedModel[] {
  const routes = exchange.snapshot.organizations.get(exchange.key?.organizationId ?? '')
  if (routes === undefined) return []
  const models: ListedModel[] = []
  for (const [name, route] of routes.exact) {
    const usable = operationsWithModel.some(
      (operation) =>
        mayUse(exchange, route.name, operation) && policiesAllow(exchange, route.name, operation),
    )
    if (usable) models.push({ name, route })
  }
  return models.sort((a, b) => a.name.localeCompare(b.name))
}

function describeForOpenAI({ name, route }: ListedModel): object {
  return { id: name, object: 'model', created: Math.floor(route.createdAt / 1000), owned_by: ownerOf(route) }
}

function describeForAnthropic({ name, route }: ListedModel): object {
  return { type: 'model', id: name, display_name: name, created_at: new Date(route.createdAt).toISOString() }
}

function ownerOf(route: CompiledRoute): string {
  return route.targets[0]?.deployment.provider.id ?? 'gatewright'
}
