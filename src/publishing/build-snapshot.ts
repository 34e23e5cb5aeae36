/**
 * Stored records → the plain data of a snapshot: names resolved to ids, credentials opened, subscriptions folded
 * into grants. A deployment whose credential cannot be read is left out and named; everything else goes on.
 */
import type {
  ApiProduct,
  CredentialSource,
  Deployment,
  ModelRoute,
  SealedCredential,
  UpstreamTimeouts,
} from '../domain/entities.ts'
import { isJsonObject } from '../domain/json.ts'
import type { RoutePolicy } from '../domain/routing.ts'
import type {
  ApplicationSnapshot,
  DeploymentSnapshot,
  GrantSnapshot,
  RouteSnapshot,
  SnapshotConfig,
} from '../domain/snapshot.ts'
import { refusedAge, strictestPolicy } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import type { ConfigurationRecords } from '../ports/store.ts'
import { guardSnapshots } from './guard-snapshots.ts'
import { limitSnapshots } from './limit-snapshots.ts'
import { policySnapshots } from './policy-snapshots.ts'
import { tokenIssuerSnapshots } from './token-issuer-snapshots.ts'

/** The parts of a snapshot that come from configuration and not from the store. */
export type SnapshotSettings = Pick<
  SnapshotConfig,
  | 'prices'
  | 'peppers'
  | 'bounds'
  | 'trustedProxies'
  | 'forwardedHeader'
  | 'sandboxEnabled'
  | 'documentationUrl'
  | 'contentLog'
  | 'events'
  | 'tracing'
> & { readonly timeouts: UpstreamTimeouts }

export interface SnapshotSources {
  readonly settings: SnapshotSettings
  readonly secretBox: SecretBox
  /** Reads `env:NAME` and `file:/path`; null when there is nothing. */
  readonly readReference: (reference: string) => string | null
  /** Throws a Fault when the data plane could not compile the deployment. */
  readonly checkDeployment: (deployment: DeploymentSnapshot) => void
}

export interface BuiltSnapshot {
  readonly config: SnapshotConfig
  /** What was left out and why; names only, no secrets. */
  readonly warnings: readonly string[]
}

export const sandboxProvider = 'sandbox'

export async function buildSnapshot(
  records: ConfigurationRecords,
  sources: SnapshotSources,
  now: number,
): Promise<BuiltSnapshot> {
  const { settings } = sources
  const warnings: string[] = []
  const deployments: DeploymentSnapshot[] = []
  const credentials = new Map(records.credentials.map((record) => [record.id, record]))
  for (const deployment of records.deployments) {
    if (!deployment.enabled) continue
    if (deployment.providerId === sandboxProvider && !settings.sandboxEnabled) {
      warnings.push(
        `deployment ${deployment.slug}: the sandbox is off, because the data plane is reachable from outside`,
      )
      continue
    }
    const opened = await openDeployment(deployment, credentials, sources)
    const trouble = opened === null ? 'its credential cannot be read' : troubleOf(opened, sources)
    // One tenant's mistake must not hold up the configuration of all others.
    if (opened === null || trouble !== null)
      warnings.push(`deployment ${deployment.slug}: ${trouble}; it is out of service`)
    else deployments.push(opened)
  }
  const policies = policySnapshots(records)
  const { prices, peppers, bounds, trustedProxies, sandboxEnabled, documentationUrl } = settings
  const tokenIssuers = tokenIssuerSnapshots(records)
  return {
    warnings,
    config: {
      version: records.version,
      deployments,
      routes: routeSnapshots(records),
      applications: applicationSnapshots(records),
      ...limitSnapshots(records, now),
      ...(tokenIssuers.length === 0 ? {} : { tokenIssuers }),
      ...guardSnapshots(records),
      prices,
      peppers,
      bounds,
      trustedProxies,
      ...(settings.forwardedHeader === undefined ? {} : { forwardedHeader: settings.forwardedHeader }),
      sandboxEnabled,
      documentationUrl,
      ...(settings.contentLog === undefined ? {} : { contentLog: settings.contentLog }),
      ...(settings.events === undefined ? {} : { events: settings.events }),
      ...(settings.tracing === undefined ? {} : { tracing: settings.tracing }),
      ...(policies.length === 0 ? {} : { policies }),
    },
  }
}

function troubleOf(deployment: DeploymentSnapshot, { checkDeployment }: SnapshotSources): string | null {
  try {
    checkDeployment(deployment)
    return null
  } catch (error) {
    return error instanceof Fault ? error.publicText : 'it cannot be compiled'
  }
}

/** A deployment with its secrets opened, or null when they cannot be read. */
export async function openDeployment(
  deployment: Deployment,
  credentials: ReadonlyMap<string, SealedCredential>,
  sources: SnapshotSources,
): Promise<DeploymentSnapshot | null> {
  const secrets = await openSecrets(deployment.credential, credentials, sources)
  return secrets === null ? null : deploymentSnapshot(deployment, secrets, sources.settings.timeouts)
}

type Secrets = Readonly<Record<string, string>>

/** The secret fields of a credential, or null when they cannot be read. */
export async function openSecrets(
  credential: CredentialSource,
  credentials: ReadonlyMap<string, SealedCredential>,
  sources: Pick<SnapshotSources, 'secretBox' | 'readReference'>,
): Promise<Secrets | null> {
  switch (credential.kind) {
    case 'none':
      return {}
    case 'references': {
      const entries = Object.entries(credential.fields).map(
        ([field, reference]) => [field, sources.readReference(reference)] as const,
      )
      const missing = entries.some(([, value]) => value === null)
      return missing ? null : (Object.fromEntries(entries) as Secrets)
    }
    case 'sealed': {
      const record = credentials.get(credential.credentialId)
      if (record === undefined) return null
      return parseSecrets(await openQuietly(sources.secretBox, record.sealed, `credential:${record.id}`))
    }
  }
}

async function openQuietly(secretBox: SecretBox, sealed: string, context: string): Promise<string | null> {
  try {
    return (await secretBox.open(sealed, context)).toString('utf8')
  } catch {
    return null
  }
}

function parseSecrets(text: string | null): Secrets | null {
  if (text === null) return null
  const parsed: unknown = JSON.parse(text)
  if (!isJsonObject(parsed)) return null
  const strings = Object.entries(parsed).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return Object.fromEntries(strings)
}

function deploymentSnapshot(
  deployment: Deployment,
  secrets: Secrets,
  timeouts: UpstreamTimeouts,
): DeploymentSnapshot {
  const { id, slug, organizationId, providerId, baseUrl, dialect, region, settings, allowPrivateNetwork } =
    deployment
  return {
    id,
    slug,
    organizationId,
    providerId,
    baseUrl,
    dialect,
    region,
    settings,
    secrets,
    allowPrivateNetwork,
    timeouts: { ...timeouts, ...deployment.timeouts },
  }
}

function routeSnapshots(records: ConfigurationRecords): RouteSnapshot[] {
  const ids = new Map(records.deployments.map((each) => [`${each.organizationId}/${each.slug}`, each.id]))
  return records.routes
    .filter((route) => route.enabled)
    .map((route: ModelRoute) => ({
      organizationId: route.organizationId,
      name: route.name,
      aliases: route.aliases,
      createdAt: route.createdAt,
      timeouts: route.timeouts,
      policy: policySnapshot(route, ids),
      targets: route.targets.map((target) => ({
        ...target,
        deployment: ids.get(`${route.organizationId}/${target.deployment}`) ?? '',
      })),
    }))
}

function policySnapshot(route: ModelRoute, ids: ReadonlyMap<string, string>): RoutePolicy {
  const { canary } = route.policy
  if (canary == null) return route.policy
  const deployment = ids.get(`${route.organizationId}/${canary.deployment}`) ?? ''
  return { ...route.policy, canary: { ...canary, deployment } }
}

/** Deprecated products still serve those who subscribed; drafts and retired ones serve nobody. */
const servingStates: ReadonlySet<ApiProduct['state']> = new Set(['published', 'deprecated'])

function applicationSnapshots(records: ConfigurationRecords) {
  const { organizations, applications, products, subscriptions } = records
  const asked = new Map(organizations.map(({ id, keyPolicy }) => [id, keyPolicy]))
  const serving = new Map(
    products.filter(({ state }) => servingStates.has(state)).map((product) => [product.id, product]),
  )
  const grants = new Map<string, GrantSnapshot[]>()
  for (const { applicationId, productId, planId, state } of subscriptions) {
    const product = serving.get(productId)
    if (product === undefined || state !== 'active') continue
    const { models, operations } = product
    const grant = { productId, models, operations, planId }
    const known = grants.get(applicationId)
    if (known === undefined) grants.set(applicationId, [grant])
    else known.push(grant)
  }
  return applications.map(({ id, organizationId, team, keyPolicy }): ApplicationSnapshot => {
    const refusedKeyAgeMs = refusedAge(strictestPolicy(asked.get(organizationId) ?? {}, keyPolicy))
    const grantsOf = grants.get(id) ?? []
    return {
      id,
      organizationId,
      team,
      grants: grantsOf,
      ...(refusedKeyAgeMs === null ? {} : { refusedKeyAgeMs }),
    }
  })
}
