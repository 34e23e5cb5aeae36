/**
 * Deployments and routes from the environment: a provider whose variables are set becomes a deployment named after
 * it, with routes for the model names that it is known for and for `<provider>/*`. What the operator made under the
 * same name goes first; the environment yields.
 */
import type { ResourceDocument } from '../config/index.ts'
import type { Provider } from '../domain/provider.ts'
import type { Store, StoreTables } from '../ports/store.ts'
import { applyDesired } from './apply-document.ts'
import { type DesiredOrganization, defaultOrganization, readDesired } from './desired.ts'

/** What the environment says about one provider. */
export interface FoundProvider {
  readonly provider: Provider
  readonly baseUrl: string | null
  readonly region: string | null
  readonly settings: Readonly<Record<string, string>>
  /** Secret field → `env:NAME` or `file:/path`. */
  readonly references: Readonly<Record<string, string>>
  readonly allowPrivateNetwork: boolean
  /** Model names known of this provider, for exact routes (they are what `/v1/models` lists). */
  readonly knownModels: readonly string[]
}

const manager = 'environment'

/** Store what was found, and remove what an earlier start had found and is gone. Returns the deployments' slugs. */
export async function applyEnvironment(
  store: Store,
  found: readonly FoundProvider[],
  now: number,
): Promise<readonly string[]> {
  const organization = await store.organizations.find(defaultOrganization)
  const { items } =
    organization === null ? await store.organizations.list({ limit: 1 }) : { items: [organization] }
  const owner = items[0]
  if (owner === undefined) return []
  const taken = await store.transaction((tables) => namesOfOthers(tables, owner.id))
  const desired = readDesired(documentOf(found, owner.slug), () => {}).map((each) => without(each, taken))
  await applyDesired(store, desired, { managedBy: manager, now })
  return desired.flatMap((each) => [...each.deployments.keys()])
}

function documentOf(found: readonly FoundProvider[], organization: string): ResourceDocument {
  const routes = new Map<string, string>()
  for (const { provider, knownModels } of found) {
    for (const name of [...knownModels, ...provider.modelPatterns, `${provider.id}/*`]) {
      if (!routes.has(name)) routes.set(name, provider.id)
    }
  }
  return {
    deployments: found.map(({ provider, baseUrl, region, settings, references, allowPrivateNetwork }) => ({
      slug: provider.id,
      organization,
      provider: provider.id,
      settings: { ...settings },
      credential: { ...references },
      allowPrivateNetwork,
      ...(baseUrl === null ? {} : { baseUrl }),
      ...(region === null ? {} : { region }),
    })),
    models: [...routes].map(([name, deployment]) => ({ name, organization, targets: [{ deployment }] })),
  }
}

interface Taken {
  readonly deployments: ReadonlySet<string>
  readonly routes: ReadonlySet<string>
}

async function namesOfOthers(tables: StoreTables, organizationId: string): Promise<Taken> {
  const deployments = new Set<string>()
  const routes = new Set<string>()
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<StoreTables['deployments']['list']>> = await tables.deployments.list(
      organizationId,
      after === null ? { limit: 500 } : { limit: 500, after },
    )
    for (const each of page.items) if (each.managedBy !== manager) deployments.add(each.slug)
    after = page.next
  } while (after !== null)
  do {
    const page: Awaited<ReturnType<StoreTables['routes']['list']>> = await tables.routes.list(
      organizationId,
      after === null ? { limit: 500 } : { limit: 500, after },
    )
    for (const each of page.items) {
      if (each.managedBy === manager) continue
      for (const name of [each.name, ...each.aliases]) routes.add(name)
    }
    after = page.next
  } while (after !== null)
  return { deployments, routes }
}

function without(desired: DesiredOrganization, taken: Taken): DesiredOrganization {
  const deployments = new Map([...desired.deployments].filter(([slug]) => !taken.deployments.has(slug)))
  const routes = new Map([...desired.routes].filter(([name]) => !taken.routes.has(name)))
  return { ...desired, deployments, routes }
}
