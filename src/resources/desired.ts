/**
 * A resource document turned into whole records: every name resolved, every default filled. What a document leaves
 * out takes its default, so a document always means the same thing whatever the store held before.
 */
import {
  checkLimits,
  planDefaults,
  type ReportIssuerProblem,
  type ResourceDocument,
  readGuardMatch,
  readGuardTerms,
  readLimitMatch,
  readLimitTerms,
  readPlanLimits,
  readTokenTerms,
} from '../config/index.ts'
import type {
  AccessPolicy,
  ApiProduct,
  Application,
  CredentialSource,
  Deployment,
  Guard,
  Limit,
  ModelRoute,
  Plan,
  Subscription,
} from '../domain/entities.ts'
import type { KeyPolicy } from '../domain/key-policy.ts'
import type { TokenIssuer } from '../domain/token-issuer.ts'
import { findGuardProblem } from '../inspection/index.ts'

type Own<T> = Omit<T, 'id' | 'createdAt' | 'updatedAt' | 'managedBy' | 'organizationId'>

export interface DesiredSubscription {
  readonly application: string
  readonly product: string
  /** Slug; null: no plan. */
  readonly plan: string | null
  readonly state: Subscription['state']
}

/** Revisions are counted by who writes. */
type DesiredPolicy = Omit<Own<AccessPolicy>, 'revision'>

/** One organization's objects, by slug or name. */
export interface DesiredOrganization {
  readonly slug: string
  /** Null: the organization is only referred to. */
  readonly name: string | null
  /** Null: the document says nothing about it. */
  readonly keyPolicy: KeyPolicy | null
  readonly deployments: ReadonlyMap<string, Own<Deployment>>
  readonly routes: ReadonlyMap<string, Own<ModelRoute>>
  readonly products: ReadonlyMap<string, Own<ApiProduct>>
  readonly plans: ReadonlyMap<string, Own<Plan>>
  readonly limits: ReadonlyMap<string, Own<Limit>>
  readonly guards: ReadonlyMap<string, Own<Guard>>
  readonly policies: ReadonlyMap<string, DesiredPolicy>
  readonly applications: ReadonlyMap<string, Own<Application>>
  readonly tokenIssuers: ReadonlyMap<string, Own<TokenIssuer>>
  readonly subscriptions: readonly DesiredSubscription[]
}

/** A mistake in a document, with the path of its place. */
export type ReportProblem = (path: Path, reason: string) => void
type Path = readonly (string | number)[]

interface Building {
  readonly slug: string
  name: string | null
  keyPolicy: KeyPolicy | null
  readonly deployments: Map<string, Own<Deployment>>
  readonly routes: Map<string, Own<ModelRoute>>
  readonly products: Map<string, Own<ApiProduct>>
  readonly plans: Map<string, Own<Plan>>
  readonly limits: Map<string, Own<Limit>>
  readonly guards: Map<string, Own<Guard>>
  readonly policies: Map<string, DesiredPolicy>
  readonly applications: Map<string, Own<Application>>
  readonly tokenIssuers: Map<string, Own<TokenIssuer>>
  readonly subscriptions: DesiredSubscription[]
}

/** The slug of the organization that owns what names none. */
export const defaultOrganization = 'default'

const nothingOf = (slug: string): Building => ({
  slug,
  name: null,
  keyPolicy: null,
  deployments: new Map(),
  routes: new Map(),
  products: new Map(),
  plans: new Map(),
  limits: new Map(),
  guards: new Map(),
  policies: new Map(),
  applications: new Map(),
  tokenIssuers: new Map(),
  subscriptions: [],
})

/** Read a document. Problems are reported by path; what they concern is left out. */
export function readDesired(document: ResourceDocument, report: ReportProblem): DesiredOrganization[] {
  const organizations = new Map<string, Building>()
  const first = document.organizations?.[0]?.slug ?? defaultOrganization
  const of = (slug: string | undefined): Building => {
    const key = slug ?? first
    let building = organizations.get(key)
    if (building === undefined) {
      building = nothingOf(key)
      organizations.set(key, building)
    }
    return building
  }
  const put = <T>(map: Map<string, T>, [name, entry]: readonly [string, T], path: Path): void => {
    if (map.has(name)) report(path, `the name ${name} appears twice`)
    map.set(name, entry)
  }
  for (const { slug, name, keyPolicy } of document.organizations ?? []) {
    const building = of(slug)
    building.name = name ?? slug
    building.keyPolicy = keyPolicy ?? null
  }
  document.deployments?.forEach((entry, index) => {
    put(of(entry.organization).deployments, [entry.slug, desiredDeployment(entry)], ['deployments', index])
  })
  document.models?.forEach((entry, index) => {
    put(of(entry.organization).routes, [entry.name, desiredRoute(entry)], ['models', index])
  })
  document.products?.forEach((entry, index) => {
    put(of(entry.organization).products, [entry.slug, desiredProduct(entry)], ['products', index])
  })
  checkLimits(document, report)
  document.plans?.forEach((entry, index) => {
    put(of(entry.organization).plans, [entry.slug, desiredPlan(entry)], ['plans', index])
  })
  document.limits?.forEach((entry, index) => {
    put(of(entry.organization).limits, [entry.name, desiredLimit(entry)], ['limits', index])
  })
  document.guards?.forEach((entry, index) => {
    const guard = desiredGuard(entry)
    const problem = findGuardProblem(guard)
    if (problem !== null) report(['guards', index], problem)
    put(of(entry.organization).guards, [entry.name, guard], ['guards', index])
  })
  document.policies?.forEach((entry, index) => {
    put(of(entry.organization).policies, [entry.slug, desiredPolicy(entry)], ['policies', index])
  })
  document.applications?.forEach((entry, index) => {
    const owner = of(entry.organization)
    put(owner.applications, [entry.slug, desiredApplication(entry)], ['applications', index])
    for (const subscribed of entry.products ?? []) {
      const { product, plan = null } = typeof subscribed === 'string' ? { product: subscribed } : subscribed
      owner.subscriptions.push({ application: entry.slug, product, plan, state: 'active' })
    }
  })
  document.tokenIssuers?.forEach((entry, index) => {
    const place = ['tokenIssuers', index]
    const desired = desiredIssuer(entry, (path, reason) => report([...place, ...path], reason))
    put(of(entry.organization).tokenIssuers, [entry.name, desired], place)
  })
  return [...organizations.values()]
}

type Entry<K extends keyof ResourceDocument> = NonNullable<ResourceDocument[K]>[number]

function desiredIssuer(entry: Entry<'tokenIssuers'>, report: ReportIssuerProblem): Own<TokenIssuer> {
  const { name, issuer, enabled = true, credential: fields, organization: _owner, ...given } = entry
  return {
    name,
    issuer,
    enabled,
    terms: readTokenTerms({ ...given, name, issuer }, report),
    credential: fields === undefined ? { kind: 'none' } : { kind: 'references', fields },
  }
}

function desiredDeployment(entry: Entry<'deployments'>): Own<Deployment> {
  const credential: CredentialSource =
    entry.credential === undefined ? { kind: 'none' } : { kind: 'references', fields: entry.credential }
  return {
    slug: entry.slug,
    providerId: entry.provider,
    baseUrl: entry.baseUrl ?? null,
    dialect: entry.dialect ?? null,
    region: entry.region ?? null,
    settings: entry.settings ?? {},
    credential,
    allowPrivateNetwork: entry.allowPrivateNetwork ?? false,
    enabled: entry.enabled ?? true,
    timeouts: entry.timeouts ?? {},
  }
}

function desiredRoute(entry: Entry<'models'>): Own<ModelRoute> {
  return {
    name: entry.name,
    aliases: entry.aliases ?? [],
    description: entry.description ?? '',
    enabled: entry.enabled ?? true,
    timeouts: entry.timeouts ?? {},
    policy: entry.policy ?? {},
    targets: entry.targets.map((target) => ({
      deployment: target.deployment,
      model: target.model ?? null,
      priority: target.priority ?? 0,
      weight: target.weight ?? 1,
    })),
  }
}

function desiredProduct(entry: Entry<'products'>): Own<ApiProduct> {
  return {
    slug: entry.slug,
    name: entry.name ?? entry.slug,
    version: entry.version ?? '1',
    description: entry.description ?? '',
    state: entry.state ?? 'published',
    operations: entry.operations ?? ['*'],
    models: entry.models ?? ['*'],
  }
}

/** `checkLimits` has told all that is wrong. */
const reported = (): void => {}

function desiredPlan(entry: Entry<'plans'>): Own<Plan> {
  return {
    slug: entry.slug,
    name: entry.name ?? entry.slug,
    description: entry.description ?? '',
    limits: readPlanLimits(entry.limits ?? [], reported),
    priority: entry.priority ?? planDefaults.priority,
    weight: entry.weight ?? planDefaults.weight,
    queue: { ...planDefaults.queue, ...entry.queue },
  }
}

function desiredLimit(entry: Entry<'limits'>): Own<Limit> {
  return { ...readLimitTerms(entry, reported), match: readLimitMatch(entry.match) }
}

function desiredGuard(entry: Entry<'guards'>): Own<Guard> {
  return { ...readGuardTerms(entry), match: readGuardMatch(entry.match) }
}

function desiredPolicy({ slug, description = '', cedar, enabled = true }: Entry<'policies'>): DesiredPolicy {
  return { slug, description, cedar, enabled }
}

function desiredApplication(entry: Entry<'applications'>): Own<Application> {
  return {
    slug: entry.slug,
    name: entry.name ?? entry.slug,
    description: entry.description ?? '',
    team: entry.team ?? '',
    keyPolicy: entry.keyPolicy ?? {},
  }
}
