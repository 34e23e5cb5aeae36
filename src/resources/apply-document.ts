/** Documents in and out: `gatewright.yaml` at start and on reload, `apply`, `diff` and `export` by the admin API. */
import { stringify } from 'yaml'
import {
  ConfigError,
  type ConfigProblem,
  describeProblem,
  joinPath,
  parseResources,
  type ResourceDocument,
  writeLimitTerms,
} from '../config/index.ts'
import type { Limit, Plan } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import type { Store, StoreTables } from '../ports/store.ts'
import { type DesiredOrganization, readDesired } from './desired.ts'
import { type ReconcileOptions, type ResourceChange, ResourceRefusal, reconcile } from './reconcile.ts'

/** Thrown inside a transaction to undo it after its changes were noted. */
class DryRun extends Error {
  readonly changes: readonly ResourceChange[]
  constructor(changes: readonly ResourceChange[]) {
    super('dry run')
    this.changes = changes
  }
}

/** A document whose schema holds, with where it came from. */
export interface DocumentSource {
  readonly document: ResourceDocument
  readonly file: string
  /** Line of a path such as `['models', 0]`; 0 where none is known. */
  readonly lineOf: (path: readonly (string | number)[]) => number
}

/** @throws ConfigError naming the place of every mistake */
function desiredOf({ document, file, lineOf }: DocumentSource): DesiredOrganization[] {
  const problems: ConfigProblem[] = []
  const desired = readDesired(document, (path, reason) => {
    problems.push({ file, line: lineOf(path), path: joinPath(path), reason })
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return desired
}

/** Which list of a document holds a noun, and what its entries are called by. */
const places: Readonly<Record<string, readonly [list: keyof ResourceDocument, name: 'slug' | 'name']>> = {
  deployment: ['deployments', 'slug'],
  model: ['models', 'name'],
  product: ['products', 'slug'],
  plan: ['plans', 'slug'],
  limit: ['limits', 'name'],
  application: ['applications', 'slug'],
}

/** A refusal as a problem with its place in the document. */
function problemOf(refusal: ResourceRefusal, { document, file, lineOf }: DocumentSource): ConfigProblem {
  const reason = refusal.publicText
  const place = places[refusal.noun]
  if (place === undefined) return { file, line: 0, path: '', reason }
  const [list, name] = place
  const entries: readonly Readonly<Record<string, unknown>>[] = document[list] ?? []
  const index = entries.findIndex((entry) => entry[name] === refusal.resource)
  if (index < 0) return { file, line: 0, path: list, reason }
  return { file, line: lineOf([list, index]), path: joinPath([list, index]), reason }
}

/** Bring the store to a document, all or nothing. @throws ConfigError with file, line, path and reason */
export async function applyDocument(
  store: Store,
  source: DocumentSource,
  options: ReconcileOptions,
): Promise<readonly ResourceChange[]> {
  const desired = desiredOf(source)
  return placed(source, () => applyDesired(store, desired, options))
}

async function placed<T>(source: DocumentSource, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof ResourceRefusal) throw new ConfigError([problemOf(error, source)])
    throw error
  }
}

/** Bring the store to the document, all or nothing. */
export async function applyDesired(
  store: Store,
  desired: readonly DesiredOrganization[],
  options: ReconcileOptions,
): Promise<readonly ResourceChange[]> {
  return store.transaction((tables) => reconcile(tables, desired, options))
}

/** What applying would change. Runs the very same code and undoes it. */
export async function diffDesired(
  store: Store,
  desired: readonly DesiredOrganization[],
  options: ReconcileOptions,
): Promise<readonly ResourceChange[]> {
  try {
    await store.transaction(async (tables) => {
      throw new DryRun(await reconcile(tables, desired, options))
    })
  } catch (error) {
    if (error instanceof DryRun) return error.changes
    throw error
  }
  return []
}

export interface DocumentManager {
  diff(document: string): Promise<readonly ResourceChange[]>
  apply(document: string): Promise<readonly ResourceChange[]>
  export(): Promise<string>
}

/**
 * The `config-*` operations of the admin API.
 * @param fileManaged true while the server's own `gatewright.yaml` holds objects: it alone manages then
 */
export function createDocumentManager(parts: {
  readonly store: Store
  readonly clock: Clock
  readonly fileManaged: () => boolean
  readonly checkDeployment?: ReconcileOptions['checkDeployment']
}): DocumentManager {
  const check = parts.checkDeployment === undefined ? {} : { checkDeployment: parts.checkDeployment }
  const options = (): ReconcileOptions => ({ managedBy: 'file', now: parts.clock.now(), ...check })
  return {
    diff: (document) =>
      asFaults(async () => {
        const source = readSource(document)
        const desired = desiredOf(source)
        return placed(source, () => diffDesired(parts.store, desired, options()))
      }),
    async apply(document) {
      if (parts.fileManaged()) {
        throw new Fault(faults.readOnly, {
          public: { noun: 'configuration', manager: 'gatewright.yaml of the server' },
        })
      }
      return asFaults(() => applyDocument(parts.store, readSource(document), options()))
    },
    export: () => parts.store.transaction(exportDocument),
  }
}

const documentName = 'document'

function readSource(text: string): DocumentSource {
  const { value, lineOf } = parseResources(text, documentName)
  return { document: value, file: documentName, lineOf }
}

/** Problems of a document as the admin API's fault. */
async function asFaults<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const reason = error.problems.slice(0, 3).map(describeProblem).join('; ')
    throw new Fault(faults.configInvalid, { public: { reason } })
  }
}

/** All objects as a document that `apply` takes. Sealed credentials cannot leave: they are named in a comment. */
async function exportDocument(tables: StoreTables): Promise<string> {
  const document: Record<keyof ResourceDocument, object[]> = {
    organizations: [],
    deployments: [],
    models: [],
    products: [],
    plans: [],
    limits: [],
    applications: [],
  }
  const { items } = await tables.organizations.list({ limit: 500 })
  for (const { id, slug: organization, name } of items) {
    document.organizations.push({ slug: organization, name })
    const deployments = await tables.deployments.list(id, { limit: 500 })
    for (const each of deployments.items) document.deployments.push(exportDeployment(organization, each))
    const routes = await tables.routes.list(id, { limit: 500 })
    for (const each of routes.items) document.models.push(exportRoute(organization, each))
    const products = await tables.products.list(id, { limit: 500 })
    for (const { slug, name: title, version, description, state, operations, models } of products.items) {
      document.products.push({
        slug,
        organization,
        name: title,
        version,
        description,
        state,
        operations,
        models,
      })
    }
    const plans = await tables.plans.list(id, { limit: 500 })
    for (const each of plans.items) document.plans.push(exportPlan(organization, each))
    const limits = await tables.limits.list(id, { limit: 500 })
    for (const each of limits.items) document.limits.push(exportLimit(organization, each))
    const slugs = new Map([...products.items, ...plans.items].map((each) => [each.id, each.slug]))
    const applications = await tables.applications.list(id, { limit: 500 })
    for (const { id: applicationId, slug, name: title, description, team } of applications.items) {
      const subscriptions = await tables.subscriptions.list(id, { applicationId, limit: 500 })
      const subscribed = subscriptions.items.map(({ productId, planId }) => {
        const product = slugs.get(productId)
        return planId === null ? product : { product, plan: slugs.get(planId) }
      })
      document.applications.push({ slug, organization, name: title, description, team, products: subscribed })
    }
  }
  return stringify(document, { lineWidth: 110 })
}

function dropNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
}

type RouteRecord = Awaited<ReturnType<StoreTables['routes']['list']>>['items'][number]

function exportRoute(organization: string, record: RouteRecord): object {
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

type DeploymentRecord = Awaited<ReturnType<StoreTables['deployments']['list']>>['items'][number]

function exportDeployment(organization: string, record: DeploymentRecord): object {
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
