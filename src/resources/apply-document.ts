/** Documents in and out: `gatewright.yaml` at start and on reload, `apply`, `diff` and `export` by the admin API. */
import { stringify } from 'yaml'
import {
  ConfigError,
  type ConfigProblem,
  describeProblem,
  parseResources,
  type ResourceDocument,
} from '../config/index.ts'
import { faults } from '../faults/catalogue.ts'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import type { Store, StoreTables } from '../ports/store.ts'
import { type DesiredOrganization, readDesired } from './desired.ts'
import { type ReconcileOptions, type ResourceChange, reconcile } from './reconcile.ts'

/** Thrown inside a transaction to undo it after its changes were noted. */
class DryRun extends Error {
  readonly changes: readonly ResourceChange[]
  constructor(changes: readonly ResourceChange[]) {
    super('dry run')
    this.changes = changes
  }
}

/** Names the place of every mistake in a document whose schema holds. @throws ConfigError */
export function checkDocument(
  document: ResourceDocument,
  file: string,
  lineOf: (path: readonly (string | number)[]) => number,
): DesiredOrganization[] {
  const problems: ConfigProblem[] = []
  const desired = readDesired(document, (path, reason) => {
    problems.push({ file, line: lineOf(path), path: String(path[0] ?? ''), reason })
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return desired
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
}): DocumentManager {
  const options = (): ReconcileOptions => ({ managedBy: 'file', now: parts.clock.now() })
  return {
    diff: async (document) => diffDesired(parts.store, readDocument(document), options()),
    async apply(document) {
      if (parts.fileManaged()) {
        throw new Fault(faults.readOnly, {
          public: { noun: 'configuration', manager: 'gatewright.yaml of the server' },
        })
      }
      return applyDesired(parts.store, readDocument(document), options())
    },
    export: () => parts.store.transaction(exportDocument),
  }
}

function readDocument(text: string): DesiredOrganization[] {
  try {
    const parsed = parseResources(text, 'document')
    return checkDocument(parsed.value, 'document', parsed.lineOf)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new Fault(faults.configInvalid, {
      public: { reason: error.problems.slice(0, 3).map(describeProblem).join('; ') },
    })
  }
}

/** All objects as a document that `apply` takes. Sealed credentials cannot leave: they are named in a comment. */
async function exportDocument(tables: StoreTables): Promise<string> {
  const document: Record<keyof ResourceDocument, object[]> = {
    organizations: [],
    deployments: [],
    models: [],
    products: [],
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
    const slugs = new Map(products.items.map((product) => [product.id, product.slug]))
    const applications = await tables.applications.list(id, { limit: 500 })
    for (const { id: applicationId, slug, name: title, description } of applications.items) {
      const subscriptions = await tables.subscriptions.list(id, { applicationId, limit: 500 })
      const subscribed = subscriptions.items
        .map((each) => slugs.get(each.productId))
        .filter((each) => each !== undefined)
      document.applications.push({ slug, organization, name: title, description, products: subscribed })
    }
  }
  return stringify(document, { lineWidth: 110 })
}

function dropNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
}

type RouteRecord = Awaited<ReturnType<StoreTables['routes']['list']>>['items'][number]

function exportRoute(organization: string, record: RouteRecord): object {
  const { name, aliases, description, enabled, targets, timeouts } = record
  return { name, organization, aliases, description, enabled, targets: targets.map(dropNulls), timeouts }
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
