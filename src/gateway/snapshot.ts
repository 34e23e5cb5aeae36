/**
 * The compiled snapshot: everything a request may ask of the configuration, answered by a map look-up or a short
 * loop. Built once per change, frozen, swapped whole; requests under way keep the one that they began with.
 * A snapshot that cannot be compiled is refused whole and the old one stays.
 */
import type { ContentLogBounds } from '../domain/content.ts'
import type { RouteTarget, UpstreamTimeouts } from '../domain/entities.ts'
import type {
  ApplicationSnapshot,
  DeploymentSnapshot,
  ForwardedHeader,
  GatewayBounds,
  RouteSnapshot,
  SnapshotConfig,
} from '../domain/snapshot.ts'
import { faults } from '../faults/catalogue.ts'
import {
  type AddressMatcher,
  compileCidrs,
  compilePatterns,
  compilePeppers,
  type PatternMatcher,
  type Peppers,
} from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import { compilePrices, type PriceBook } from '../metering/index.ts'
import {
  type AuthPorts,
  type CompiledDeployment,
  compileDeployment,
  type ProviderCatalogue,
} from '../providers/index.ts'

export interface CompiledTarget {
  readonly deployment: CompiledDeployment
  readonly model: string | null
  readonly priority: number
  readonly weight: number
  /** Those of the route before those of the deployment, merged once. */
  readonly timeouts: UpstreamTimeouts
}

export interface CompiledRoute {
  readonly name: string
  /** For patterns: what stands before the `*`. */
  readonly prefix: string | null
  readonly createdAt: number
  readonly aliases: readonly string[]
  /** Sorted by priority. */
  readonly targets: readonly CompiledTarget[]
}

interface Grant {
  readonly models: PatternMatcher
  readonly operations: PatternMatcher
}

export interface CompiledApplication {
  readonly id: string
  readonly organizationId: string
  /** Some subscribed product has the operation. */
  readonly allowsOperation: (operationId: string) => boolean
  /** Some subscribed product has the operation on the model. */
  readonly allowsModel: (operationId: string, model: string) => boolean
}

export interface OrganizationRoutes {
  readonly exact: ReadonlyMap<string, CompiledRoute>
  /** Longest prefix first. */
  readonly patterns: readonly CompiledRoute[]
  readonly deployments: readonly CompiledDeployment[]
}

export interface Snapshot {
  readonly version: number
  readonly organizations: ReadonlyMap<string, OrganizationRoutes>
  readonly applications: ReadonlyMap<string, CompiledApplication>
  readonly prices: PriceBook
  readonly peppers: Peppers
  readonly bounds: GatewayBounds
  /** Null: no proxy is trusted. */
  readonly trustsProxy: AddressMatcher | null
  readonly forwardedHeader: ForwardedHeader
  readonly documentationUrl: string
  /** Null: no content is kept. */
  readonly contentLog: ContentLogBounds | null
}

/** What compiling needs besides the data. */
export interface SnapshotParts {
  readonly catalogue: ProviderCatalogue
  readonly auth: AuthPorts
}

/**
 * Compile a configuration. @throws Fault naming the object that cannot be compiled
 */
export function compileSnapshot(config: SnapshotConfig, parts: SnapshotParts): Snapshot {
  const deployments = new Map<string, CompiledDeployment>()
  for (const deployment of config.deployments) {
    deployments.set(deployment.id, compileOne(deployment, parts))
  }
  return Object.freeze({
    version: config.version,
    organizations: compileOrganizations(config, deployments),
    applications: new Map(
      config.applications.map((application) => [application.id, compileApplication(application)]),
    ),
    prices: compilePrices(config.prices),
    peppers: compilePeppers(config.peppers),
    bounds: config.bounds,
    trustsProxy: config.trustedProxies.length === 0 ? null : compileCidrs(config.trustedProxies),
    forwardedHeader: config.forwardedHeader ?? 'x-forwarded-for',
    documentationUrl: config.documentationUrl,
    contentLog: config.contentLog ?? null,
  })
}

function compileOne(deployment: DeploymentSnapshot, { catalogue, auth }: SnapshotParts): CompiledDeployment {
  const provider = catalogue.find(deployment.providerId)
  if (provider === undefined) {
    const reason = `the deployment ${deployment.slug} names the unknown provider ${deployment.providerId}`
    throw new Fault(faults.configInvalid, { public: { reason } })
  }
  return compileDeployment(provider, deployment, auth)
}

interface MutableRoutes {
  readonly exact: Map<string, CompiledRoute>
  readonly patterns: CompiledRoute[]
  readonly deployments: CompiledDeployment[]
}

function compileOrganizations(
  config: SnapshotConfig,
  deployments: ReadonlyMap<string, CompiledDeployment>,
): ReadonlyMap<string, OrganizationRoutes> {
  const organizations = new Map<string, MutableRoutes>()
  const of = (organizationId: string): MutableRoutes => {
    let routes = organizations.get(organizationId)
    if (routes === undefined) {
      routes = { exact: new Map(), patterns: [], deployments: [] }
      organizations.set(organizationId, routes)
    }
    return routes
  }
  for (const deployment of config.deployments) {
    const compiled = deployments.get(deployment.id)
    if (compiled !== undefined) of(deployment.organizationId).deployments.push(compiled)
  }
  for (const route of config.routes) addRoute(of(route.organizationId), route, deployments)
  for (const routes of organizations.values()) {
    routes.patterns.sort((a, b) => (b.prefix?.length ?? 0) - (a.prefix?.length ?? 0))
  }
  return organizations
}

function addRoute(
  routes: MutableRoutes,
  route: RouteSnapshot,
  deployments: ReadonlyMap<string, CompiledDeployment>,
): void {
  const compiled: CompiledRoute = Object.freeze({
    name: route.name,
    prefix: route.name.endsWith('*') ? route.name.slice(0, -1) : null,
    createdAt: route.createdAt,
    aliases: route.aliases,
    targets: route.targets
      .map((target) => compileTarget(target, route.timeouts, deployments))
      .filter((target) => target !== null)
      .sort((a, b) => a.priority - b.priority),
  })
  if (compiled.prefix !== null) routes.patterns.push(compiled)
  else routes.exact.set(route.name, compiled)
  for (const alias of route.aliases) routes.exact.set(alias, compiled)
}

/** A target whose deployment is out of service is left out; the route stays and answers 503 when none is left. */
function compileTarget(
  target: RouteTarget,
  timeouts: RouteSnapshot['timeouts'],
  deployments: ReadonlyMap<string, CompiledDeployment>,
): CompiledTarget | null {
  const deployment = deployments.get(target.deployment)
  if (deployment === undefined) return null
  return Object.freeze({
    deployment,
    model: target.model,
    priority: target.priority,
    weight: target.weight,
    timeouts: Object.freeze({ ...deployment.snapshot.timeouts, ...timeouts }),
  })
}

function compileApplication(application: ApplicationSnapshot): CompiledApplication {
  const grants: readonly Grant[] = application.grants.map((grant) => ({
    models: compilePatterns(grant.models),
    operations: compilePatterns(grant.operations),
  }))
  return Object.freeze({
    id: application.id,
    organizationId: application.organizationId,
    allowsOperation: (operationId: string) => grants.some((grant) => grant.operations(operationId)),
    allowsModel: (operationId: string, model: string) =>
      grants.some((grant) => grant.operations(operationId) && grant.models(model)),
  })
}

/** The route that serves `model` for an organization: exact name or alias, else the longest pattern. */
export function findRoute(snapshot: Snapshot, organizationId: string, model: string): CompiledRoute | null {
  const routes = snapshot.organizations.get(organizationId)
  if (routes === undefined) return null
  const exact = routes.exact.get(model)
  if (exact !== undefined) return exact
  for (const pattern of routes.patterns) {
    if (pattern.prefix !== null && model.startsWith(pattern.prefix) && model.length > pattern.prefix.length)
      return pattern
  }
  return null
}
