/** Everything that a document can manage, as a document. */
import { stringify } from 'yaml'
import { type ResourceDocument, writeLimitTerms, writeTokenTerms } from '../config/index.ts'
import type {
  AccessPolicy,
  ApiProduct,
  Application,
  Deployment,
  Guard,
  Limit,
  ModelRoute,
  Plan,
} from '../domain/entities.ts'
import type { TokenIssuer } from '../domain/token-issuer.ts'
import type { StoreTables } from '../ports/store.ts'
import { listAll } from './list-all.ts'

type Document = Record<keyof ResourceDocument, object[]>

/** All objects as a document that `apply` takes. Sealed credentials cannot leave: they are left out. */
export async function exportDocument(tables: StoreTables): Promise<string> {
  const document: Document = {
    organizations: [],
    deployments: [],
    models: [],
    products: [],
    plans: [],
    limits: [],
    guards: [],
    policies: [],
    applications: [],
    tokenIssuers: [],
  }
  for (const { id, slug, name, keyPolicy } of await listAll((query) => tables.organizations.list(query))) {
    document.organizations.push({ slug, name, ...(hasFields(keyPolicy) ? { keyPolicy } : {}) })
    await exportOrganization(tables, { id, slug }, document)
  }
  return stringify(document, { lineWidth: 110 })
}

async function exportOrganization(
  tables: StoreTables,
  { id, slug: organization }: { readonly id: string; readonly slug: string },
  document: Document,
): Promise<void> {
  for (const each of await listAll((query) => tables.deployments.list(id, query)))
    document.deployments.push(exportDeployment(organization, each))
  for (const each of await listAll((query) => tables.routes.list(id, query)))
    document.models.push(exportRoute(organization, each))
  const products = await listAll((query) => tables.products.list(id, query))
  for (const each of products) document.products.push(exportProduct(organization, each))
  const plans = await listAll((query) => tables.plans.list(id, query))
  for (const each of plans) document.plans.push(exportPlan(organization, each))
  for (const each of await listAll((query) => tables.limits.list(id, query)))
    document.limits.push(exportLimit(organization, each))
  for (const each of await listAll((query) => tables.guards.list(id, query)))
    document.guards.push(exportGuard(organization, each))
  for (const each of await listAll((query) => tables.policies.list(id, query)))
    document.policies.push(exportPolicy(organization, each))
  const slugs = new Map([...products, ...plans].map((each) => [each.id, each.slug]))
  for (const each of await listAll((query) => tables.applications.list(id, query)))
    document.applications.push(await exportApplication(tables, { organization, slugs }, each))
  for (const each of await listAll((query) => tables.tokenIssuers.list(id, query)))
    document.tokenIssuers.push(exportIssuer(organization, each))
}

function exportProduct(organization: string, record: ApiProduct): object {
  const { slug, name, version, description, state, operations, models } = record
  return { slug, organization, name, version, description, state, operations, models }
}

function exportIssuer(
  organization: string,
  { name, issuer, enabled, terms, credential }: TokenIssuer,
): object {
  const references = credential.kind === 'references' ? { credential: credential.fields } : {}
  return { name, organization, issuer, enabled, ...dropNulls(writeTokenTerms(terms)), ...references }
}

async function exportApplication(
  tables: StoreTables,
  { organization, slugs }: { readonly organization: string; readonly slugs: ReadonlyMap<string, string> },
  record: Application,
): Promise<object> {
  const { id: applicationId, organizationId, slug, name, description, team, keyPolicy } = record
  const subscriptions = await listAll((query) =>
    tables.subscriptions.list(organizationId, { ...query, applicationId }),
  )
  const products = subscriptions.map(({ productId, planId }) => {
    const product = slugs.get(productId)
    return planId === null ? product : { product, plan: slugs.get(planId) }
  })
  const asked = hasFields(keyPolicy) ? { keyPolicy } : {}
  return { slug, organization, name, description, team, ...asked, products }
}

const hasFields = (value: object): boolean => Object.keys(value).length > 0

function dropNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
}

function exportRoute(organization: string, record: ModelRoute): object {
  const { targets, name, aliases, description, enabled, timeouts, policy } = record
  const shown = targets.map(dropNulls)
  return { name, organization, aliases, description, enabled, targets: shown, timeouts, policy }
}

function exportPlan(organization: string, record: Plan): object {
  const { slug, name, description, limits, priority, weight, queue } = record
  const written = limits.map((terms) => dropNulls(writeLimitTerms(terms)))
  return { slug, organization, name, description, priority, weight, queue, limits: written }
}

function exportLimit(organization: string, record: Limit): object {
  const { name, ...terms } = dropNulls(writeLimitTerms(record)) as { name: string }
  const match = dropNulls(record.match)
  return { name, organization, ...terms, ...(Object.keys(match).length === 0 ? {} : { match }) }
}

function exportGuard(organization: string, record: Guard): object {
  const { name, detector, places, threshold, action, mode, streaming, onFailure } = record
  const terms = { detector, places, threshold, action, mode, streaming, onFailure }
  const match = dropNulls(record.match)
  const rules = record.rules === null ? {} : { rules: record.rules }
  return { name, organization, ...terms, ...rules, ...(Object.keys(match).length === 0 ? {} : { match }) }
}

function exportPolicy(organization: string, { slug, description, cedar, enabled }: AccessPolicy): object {
  return { slug, organization, description, enabled, cedar }
}

function exportDeployment(organization: string, record: Deployment): object {
  const {
    slug,
    providerId,
    baseUrl,
    dialect,
    region,
    settings,
    credential,
    allowPrivateNetwork,
    enabled,
    timeouts,
  } = record
  const fields = {
    slug,
    organization,
    provider: providerId,
    baseUrl,
    dialect,
    region,
    settings,
    allowPrivateNetwork,
    enabled,
    timeouts,
  }
  const references = credential.kind === 'references' ? { credential: credential.fields } : {}
  return { ...dropNulls(fields), ...references }
}
