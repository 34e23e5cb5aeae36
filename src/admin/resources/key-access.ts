/** What the policies of an organization say of a call of a key, described by what is known of key and route. */
import { type CalledModel, explainCall } from '../../access/index.ts'
import type { ApiKey, ApiProduct } from '../../domain/entities.ts'
import { operations } from '../../domain/operations.ts'
import { faults } from '../../faults/catalogue.ts'
import { compilePatterns } from '../../identity/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { ConfigurationRecords } from '../../ports/store.ts'
import { policySnapshots } from '../../publishing/index.ts'
import type { AdminContext } from '../context.ts'

interface Described {
  readonly operation: string
  readonly model?: string
  readonly address?: string
  readonly at?: number
}

const localAddress = '127.0.0.1'

/** The first product, in the order of subscriptions, that has the operation on the model. */
function productFor(
  records: ConfigurationRecords,
  { applicationId }: ApiKey,
  { operation, model }: { readonly operation: string; readonly model: string | null },
): ApiProduct | null {
  for (const { applicationId: subscriber, productId, state } of records.subscriptions) {
    if (subscriber !== applicationId || state !== 'active') continue
    const product = records.products.find(({ id }) => id === productId)
    if (product === undefined || (product.state !== 'published' && product.state !== 'deprecated')) continue
    if (!compilePatterns(product.operations)(operation)) continue
    if (model === null || compilePatterns(product.models)(model)) return product
  }
  return null
}

function allows(patterns: readonly string[] | null, name: string | null): boolean {
  return patterns === null || name === null || compilePatterns(patterns)(name)
}

/** Name, alias or longest pattern, as the data plane finds it; the asked name where there is no route. */
function routeFor({ routes }: ConfigurationRecords, organizationId: string, asked: string): string {
  const own = routes.filter((route) => route.organizationId === organizationId && route.enabled)
  const exact = own.find(({ name, aliases }) => name === asked || aliases.includes(asked))
  const patterns = own.filter(({ name }) => name.endsWith('*') && asked.startsWith(name.slice(0, -1)))
  patterns.sort((a, b) => b.name.length - a.name.length)
  return (exact ?? patterns[0])?.name ?? asked
}

export async function explainAccess(ctx: AdminContext, key: ApiKey, described: Described) {
  const operation = operations.find(({ id }) => id === described.operation)
  const namesModel = operation !== undefined && operation.model !== 'none'
  if (operation === undefined) throw refused('operation', 'there is no such operation')
  if (namesModel !== (described.model !== undefined))
    throw refused('model', namesModel ? 'the operation needs one' : 'the operation has none')
  const records = await ctx.deps.store.loadConfiguration()
  const asked = described.model ?? ''
  const route = namesModel ? routeFor(records, key.organizationId, asked) : null
  const name = route === null ? null : route.endsWith('*') ? asked : route
  const product = productFor(records, key, { operation: operation.id, model: name })
  const isSubscribed = product !== null && allows(key.operations, operation.id) && allows(key.models, name)
  const snapshot = policySnapshots(records).find(
    ({ organizationId }) => organizationId === key.organizationId,
  )
  if (snapshot === undefined)
    return { isAllowed: isSubscribed, hasPolicies: false, isSubscribed, policies: [] }
  const model: CalledModel | null = route === null ? null : { route, asked, productId: product?.id ?? null }
  const { isAllowed, policies } = explainCall(snapshot, {
    keyId: key.keyId,
    environment: key.environment,
    isToken: false,
    applicationId: key.applicationId,
    operation: operation.id,
    model,
    address: described.address ?? localAddress,
    now: described.at ?? ctx.deps.clock.now(),
  })
  return { isAllowed: isAllowed && isSubscribed, hasPolicies: true, isSubscribed, policies: [...policies] }
}

function refused(field: string, reason: string): Fault {
  return new Fault(faults.invalidField, { public: { field, reason }, param: field })
}
