/**
 * The compiled snapshot: everything a request may ask of the configuration, answered by a map look-up or a short
 * loop. Built once per change, frozen, swapped whole; requests under way keep the one that they began with.
 * A snapshot that cannot be compiled is refused whole and the old one stays.
 */
import { compileOrganizationPolicies, type OrganizationPolicies } from '../access/index.ts'
import type { ContentLogBounds } from '../domain/content.ts'
import type { RouteTarget, UpstreamTimeouts } from '../domain/entities.ts'
import { type PriorityClass, priorityClasses } from '../domain/limits.ts'
import type {
  ApplicationSnapshot,
  DeploymentSnapshot,
  EventSettings,
  ForwardedHeader,
  GatewayBounds,
  GrantSnapshot,
  PriceRow,
  RouteSnapshot,
  SnapshotConfig,
} from '../domain/snapshot.ts'
import { faults } from '../faults/catalogue.ts'
import {
  type AddressMatcher,
  type CompiledIssuers,
  compileCidrs,
  compileIssuers,
  compilePatterns,
  compilePeppers,
  type PatternMatcher,
  type Peppers,
  patternsMeet,
} from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import { compilePrices, type MeteredModel, type PriceBook } from '../metering/index.ts'
import {
  type AuthPorts,
  type CompiledDeployment,
  compileDeployment,
  type ProviderCatalogue,
} from '../providers/index.ts'
import {
  type Candidate,
  completeRoutePolicy,
  createHealthBook,
  defaultRouteTerms,
  type HealthBook,
  hashText,
  type RouteTerms,
  ShareBudget,
  targetName,
} from '../routing/index.ts'
import { type CompiledTracing, compileTracing } from './compiled-tracing.ts'
import { compileSnapshotGuards, type SnapshotGuards } from './guards/snapshot-guards.ts'
import { compileSnapshotLimits, defaultPriority, type SnapshotLimits } from './limits/snapshot-limits.ts'
import { compileModelLabels } from './model-labels.ts'

export interface CompiledTarget extends Candidate {
  readonly deployment: CompiledDeployment
  readonly model: string | null
  /** As it is metered; null: the caller names the model. */
  readonly metered: MeteredModel | null
  /** What the metered model costs; null: no price is known, or no model. */
  readonly priceRow: PriceRow | null
  /** Those of the route before those of the deployment, merged once. */
  readonly timeouts: UpstreamTimeouts
}

export interface CompiledRoute {
  readonly name: string
  /** For patterns: what stands before the `*`. */
  readonly prefix: string | null
  readonly createdAt: number
  readonly aliases: readonly string[]
  /** Sorted by priority. None lies outside the route's residency, so nothing that starts here can leave it. */
  readonly targets: readonly CompiledTarget[]
  /** Regions that its residency allows; null: anywhere. */
  readonly mayGoTo: PatternMatcher | null
  readonly terms: RouteTerms
  /** One target and nothing to choose by. */
  readonly isPlain: boolean
  /** The beginning of a stream is watched: something else could be tried if it fails. */
  readonly guardsStreams: boolean
  readonly retries: ShareBudget
  /** Null: no second calls. */
  readonly hedging: ShareBudget | null
}

interface Grant {
  readonly snapshot: GrantSnapshot
  readonly models: PatternMatcher
  readonly operations: PatternMatcher
}

export interface CompiledApplication {
  readonly id: string
  readonly organizationId: string
  readonly team: string
  /** The highest among the plans of its subscriptions. */
  readonly priority: PriorityClass
  /** Age of its newest secret from which a key is refused, milliseconds; infinite: none. */
  readonly refusedKeyAgeMs: number
  /** Some subscribed product has the operation. */
  readonly allowsOperation: (operationId: string) => boolean
  /** Some subscribed product has the operation on the model. */
  readonly allowsModel: (operationId: string, model: string) => boolean
  /** Some subscribed product has a model that `pattern` names, for whatever operation. */
  readonly meetsModel: (pattern: string) => boolean
  /** The first subscription that has the operation, on the model where one is named. */
  readonly grantFor: (operationId: string, model: string | null) => GrantSnapshot | null
}

export interface OrganizationRoutes {
  readonly exact: ReadonlyMap<string, CompiledRoute>
  /** Longest prefix first. */
  readonly patterns: readonly CompiledRoute[]
  /** Each deployment, for operations that name no model. */
  readonly withoutModel: readonly CompiledTarget[]
  /** Routes with a residency; operations that name no model keep to those of all that the key may use. */
  readonly resident: readonly CompiledRoute[]
  /** Routes whose exchanges may wait for room at a deployment. */
  readonly awaiting: readonly CompiledRoute[]
}

export interface Snapshot {
  readonly version: number
  readonly organizations: ReadonlyMap<string, OrganizationRoutes>
  readonly applications: ReadonlyMap<string, CompiledApplication>
  readonly limits: SnapshotLimits
  /** Null: there are none. */
  readonly guards: SnapshotGuards | null
  readonly prices: PriceBook
  readonly peppers: Peppers
  /** Null: nobody's access tokens are taken. */
  readonly issuers: CompiledIssuers | null
  readonly bounds: GatewayBounds
  /** Null: no proxy is trusted. */
  readonly trustsProxy: AddressMatcher | null
  readonly forwardedHeader: ForwardedHeader
  readonly documentationUrl: string
  /** Null: no content is kept. */
  readonly contentLog: ContentLogBounds | null
  /** Null: no sink asks for events. */
  readonly events: EventSettings | null
  /** Null: nothing is traced. */
  readonly tracing: CompiledTracing | null
  /** By organization; null: none has policies. */
  readonly policies: ReadonlyMap<string, OrganizationPolicies> | null
  /** Some route keeps answers. */
  readonly keepsResponses: boolean
  /** A metered model as the configuration names it, for metrics. */
  readonly modelLabel: (model: MeteredModel) => string
}

/** What compiling needs besides the data. */
export interface SnapshotParts {
  readonly catalogue: ProviderCatalogue
  readonly auth: AuthPorts
  /** What is known of the targets from before; left out: nothing. */
  readonly health?: HealthBook
}

/**
 * Compile a configuration. @throws Fault naming the object that cannot be compiled
 */
export function compileSnapshot(config: SnapshotConfig, parts: SnapshotParts): Snapshot {
  const deployments = new Map<string, CompiledDeployment>()
  for (const deployment of config.deployments) {
    deployments.set(deployment.id, compileOne(deployment, parts))
  }
  const prices = compilePrices(config.prices)
  const health = parts.health ?? createHealthBook()
  health.beginSnapshot()
  const organizations = compileOrganizations(config, { deployments, prices, health })
  health.keepNoted()
  const limits = compileSnapshotLimits(config)
  return Object.freeze({
    version: config.version,
    organizations,
    applications: new Map(
      config.applications.map((application) => [
        application.id,
        compileApplication(application, limits.plans),
      ]),
    ),
    limits,
    guards: compileSnapshotGuards(config.guards ?? []),
    prices,
    peppers: compilePeppers(config.peppers),
    issuers: compileIssuers(config.tokenIssuers ?? []),
    bounds: config.bounds,
    trustsProxy: config.trustedProxies.length === 0 ? null : compileCidrs(config.trustedProxies),
    forwardedHeader: config.forwardedHeader ?? 'x-forwarded-for',
    documentationUrl: config.documentationUrl,
    contentLog: config.contentLog ?? null,
    events: config.events ?? null,
    tracing: config.tracing === undefined ? null : compileTracing(config.tracing),
    policies: compilePolicies(config),
    keepsResponses: config.routes.some(({ policy }) => (policy?.cache ?? null) !== null),
    modelLabel: compileModelLabels(organizations),
  })
}

function compilePolicies({ policies }: SnapshotConfig): Snapshot['policies'] {
  if (policies === undefined || policies.length === 0) return null
  return new Map(policies.map((each) => [each.organizationId, compileOrganizationPolicies(each)]))
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
  readonly withoutModel: CompiledTarget[]
  readonly resident: CompiledRoute[]
  readonly awaiting: CompiledRoute[]
}

interface RouteParts {
  readonly deployments: ReadonlyMap<string, CompiledDeployment>
  readonly prices: PriceBook
  readonly health: HealthBook
}

function compileOrganizations(
  config: SnapshotConfig,
  parts: RouteParts,
): ReadonlyMap<string, OrganizationRoutes> {
  const organizations = new Map<string, MutableRoutes>()
  const of = (organizationId: string): MutableRoutes => {
    let routes = organizations.get(organizationId)
    if (routes === undefined) {
      routes = { exact: new Map(), patterns: [], withoutModel: [], resident: [], awaiting: [] }
      organizations.set(organizationId, routes)
    }
    return routes
  }
  for (const { id, organizationId } of config.deployments) {
    const { withoutModel } = of(organizationId)
    const target = { deployment: id, model: null, priority: withoutModel.length, weight: 1 }
    const compiled = compileTarget(target, { name: '', timeouts: {}, terms: defaultRouteTerms }, parts)
    if (compiled !== null) withoutModel.push(compiled)
  }
  for (const route of config.routes) addRoute(of(route.organizationId), route, parts)
  for (const routes of organizations.values()) {
    routes.patterns.sort((a, b) => (b.prefix?.length ?? 0) - (a.prefix?.length ?? 0))
  }
  return organizations
}

function addRoute(routes: MutableRoutes, route: RouteSnapshot, parts: RouteParts): void {
  const terms = completeRoutePolicy(route.policy)
  const mayGoTo = terms.residency.length === 0 ? null : compilePatterns(terms.residency)
  const targets = route.targets
    .map((target) => compileTarget(target, { ...route, terms }, parts))
    .filter((target) => target !== null)
    .filter(({ deployment }) => isWithin(deployment, mayGoTo))
    .sort((a, b) => a.priority - b.priority)
  const compiled: CompiledRoute = Object.freeze({
    name: route.name,
    prefix: route.name.endsWith('*') ? route.name.slice(0, -1) : null,
    createdAt: route.createdAt,
    aliases: route.aliases,
    targets,
    mayGoTo,
    terms,
    isPlain: targets.length <= 1 && terms.retry.rounds === 0 && terms.concurrency === null,
    guardsStreams: targets.length > 1 || terms.retry.rounds > 0 || terms.firstContentMs !== null,
    retries: new ShareBudget(terms.retry.budgetPercent),
    hedging: terms.hedge === null ? null : new ShareBudget(terms.hedge.maxPercent),
  })
  if (mayGoTo !== null) routes.resident.push(compiled)
  if ((terms.concurrency?.maxWaitMs ?? 0) > 0) routes.awaiting.push(compiled)
  if (compiled.prefix !== null) routes.patterns.push(compiled)
  else routes.exact.set(route.name, compiled)
  for (const alias of route.aliases) routes.exact.set(alias, compiled)
}

/** Whether a residency allows the deployment: one without a region lies nowhere that could be named. */
export function isWithin({ region }: CompiledDeployment, mayGoTo: PatternMatcher | null): boolean {
  return mayGoTo === null || (region !== null && mayGoTo(region))
}

/** Neither a pattern nor the place of operations without a model. */
function isOneModel(routeName: string): boolean {
  return routeName !== '' && !routeName.endsWith('*')
}

/** A target whose deployment is out of service is left out; the route stays and answers 503 when none is left. */
function compileTarget(
  target: RouteTarget,
  route: Pick<RouteSnapshot, 'name' | 'timeouts'> & Pick<CompiledRoute, 'terms'>,
  { deployments, prices, health }: RouteParts,
): CompiledTarget | null {
  const deployment = deployments.get(target.deployment)
  if (deployment === undefined) return null
  const { model } = target
  const { canary } = route.terms
  const provider = deployment.provider.id
  const named = model ?? (isOneModel(route.name) ? route.name : null)
  const priceRow = named === null ? null : prices.find(provider, named)
  return Object.freeze({
    deployment,
    model,
    priority: target.priority,
    weight: target.weight,
    health: health.of(targetName(deployment.snapshot, model ?? route.name), route.terms.concurrency),
    metered: named === null ? null : Object.freeze({ provider, model: named }),
    priceRow,
    price: priceRow === null ? null : priceRow.inputPerMillion + priceRow.outputPerMillion,
    place: hashText(`${deployment.id} ${model ?? ''}`),
    isCanary: canary?.deployment === deployment.id && (canary.model === null || canary.model === model),
    timeouts: Object.freeze({ ...deployment.snapshot.timeouts, ...route.timeouts }),
  })
}

function compileApplication(
  application: ApplicationSnapshot,
  plans: SnapshotLimits['plans'],
): CompiledApplication {
  const grants: readonly Grant[] = application.grants.map((grant) => ({
    snapshot: grant,
    models: compilePatterns(grant.models),
    operations: compilePatterns(grant.operations),
  }))
  return Object.freeze({
    id: application.id,
    organizationId: application.organizationId,
    team: application.team,
    priority: highestPriority(application, plans),
    refusedKeyAgeMs: application.refusedKeyAgeMs ?? Number.POSITIVE_INFINITY,
    allowsOperation: (operationId: string) => grants.some((grant) => grant.operations(operationId)),
    allowsModel: (operationId: string, model: string) =>
      grants.some((grant) => grant.operations(operationId) && grant.models(model)),
    meetsModel: (pattern: string) =>
      application.grants.some(({ models }) => models.some((model) => patternsMeet(model, pattern))),
    grantFor: (operationId: string, model: string | null) =>
      grants.find((grant) => grant.operations(operationId) && (model === null || grant.models(model)))
        ?.snapshot ?? null,
  })
}

function highestPriority({ grants }: ApplicationSnapshot, plans: SnapshotLimits['plans']): PriorityClass {
  const found = new Set(grants.map(({ planId }) => plans.get(planId ?? '')?.priority ?? defaultPriority))
  return priorityClasses.find((priority) => found.has(priority)) ?? defaultPriority
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
