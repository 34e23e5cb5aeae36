/**
 * Brings the store to what a document says, in one transaction: creates and changes what the document names, and
 * removes what the same manager had made before and the document no longer names. What another manager owns is
 * never touched; a name that another manager holds is a problem, not a take-over.
 *
 * Order: organizations, deployments, routes, products, plans, applications, limits, guards, policies, token issuers,
 * subscriptions; removals the other way round.
 */
import { isDeepStrictEqual } from 'node:util'
import { requirePolicy, revisionAfter } from '../access/index.ts'
import type { AccessPolicy, Deployment, ManagedBy, Organization, Subscription } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import type { Page, PageQuery, StoreTables, UpdateTerms } from '../ports/store.ts'
import type { DesiredOrganization, DesiredSubscription } from './desired.ts'
import { listAll } from './list-all.ts'

/** One difference between a document and the store. */
export interface ResourceChange {
  readonly action: 'create' | 'update' | 'remove'
  readonly noun: string
  /** Slug, route name or `application/product`. */
  readonly name: string
  readonly organization: string
  /** Names of the fields that differ; empty unless `update`. */
  readonly fields: readonly string[]
}

export interface ReconcileOptions {
  readonly managedBy: ManagedBy
  readonly now: number
  /** Rejects with a Fault when the data plane could not use the deployment. */
  readonly checkDeployment?: (deployment: Deployment) => Promise<void>
}

/** One object of a document cannot be stored; nothing of the document is. */
export class ResourceRefusal extends Fault {
  readonly noun: string
  readonly resource: string

  constructor(place: { readonly noun: string; readonly resource: string }, fault: Fault) {
    super(faults.configInvalid, {
      public: { reason: `${place.noun} ${place.resource}: ${fault.publicText}` },
      cause: fault,
    })
    this.name = 'ResourceRefusal'
    this.noun = place.noun
    this.resource = place.resource
  }
}

/** Runs a step for one object; what it refuses is refused under the object's name. */
async function forResource<T>(noun: string, resource: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof Fault && !(error instanceof ResourceRefusal)) {
      throw new ResourceRefusal({ noun, resource }, error)
    }
    throw error
  }
}

interface TenantRecord {
  readonly id: string
  readonly managedBy: ManagedBy
}

/** The part of a store table that reconciling uses. */
interface Table<T> {
  create(record: T): Promise<unknown>
  list(organizationId: string, query: PageQuery): Promise<Page<T>>
  update(organizationId: string, id: string, change: { patch: Partial<T> } & UpdateTerms): Promise<unknown>
  remove(organizationId: string, id: string): Promise<void>
}

interface Noun {
  readonly noun: string
  readonly idPrefix: string
  readonly table: Table<TenantRecord>
  readonly nameOf: (record: TenantRecord) => string
  readonly desired: ReadonlyMap<string, object>
  /** Fields that a document cannot change once made. */
  readonly fixed: readonly string[]
  /** What the store needs beside the document's fields, worked out from the record that is there. */
  readonly complete?: (own: object, record: TenantRecord | undefined) => object
}

interface Run extends ReconcileOptions {
  readonly tables: StoreTables
  readonly changes: ResourceChange[]
}

/** Reconcile every organization of the document. Returns what was done. @throws Fault `config.invalid` */
export async function reconcile(
  tables: StoreTables,
  desired: readonly DesiredOrganization[],
  options: ReconcileOptions,
): Promise<readonly ResourceChange[]> {
  const run: Run = { ...options, tables, changes: [] }
  const known = await listAll<Organization>((query) => tables.organizations.list(query))
  const named = new Map(desired.map((each) => [each.slug, each]))
  for (const organization of known) {
    const wanted = named.get(organization.slug) ?? emptyDesire(organization.slug)
    await reconcileOrganization(run, organization, wanted)
    named.delete(organization.slug)
  }
  for (const wanted of named.values()) {
    const organization = await createOrganization(run, wanted)
    await reconcileOrganization(run, organization, wanted)
  }
  return run.changes
}

function emptyDesire(slug: string): DesiredOrganization {
  const none = new Map<string, never>()
  return {
    slug,
    name: null,
    keyPolicy: null,
    deployments: none,
    routes: none,
    products: none,
    plans: none,
    limits: none,
    guards: none,
    policies: none,
    applications: none,
    tokenIssuers: none,
    subscriptions: [],
  }
}

async function createOrganization(run: Run, wanted: DesiredOrganization): Promise<Organization> {
  run.changes.push({
    action: 'create',
    noun: 'organization',
    name: wanted.slug,
    organization: wanted.slug,
    fields: [],
  })
  return run.tables.organizations.create({
    ...stamp(run, 'org'),
    slug: wanted.slug,
    name: wanted.name ?? wanted.slug,
    keyPolicy: wanted.keyPolicy ?? {},
  })
}

function stamp(run: Run, idPrefix: string) {
  return { id: newId(idPrefix), createdAt: run.now, updatedAt: run.now, managedBy: run.managedBy }
}

/** Deletion must follow the creation of what replaces it, and precede nothing that it refers to. */
async function reconcileOrganization(
  run: Run,
  organization: Organization,
  wanted: DesiredOrganization,
): Promise<void> {
  await forResource('organization', organization.slug, () => reconcileKeyPolicy(run, organization, wanted))
  const nouns = [...servedNouns(run.tables, wanted), ...rulingNouns(run.tables, wanted)]
  const removals: (() => Promise<void>)[] = []
  for (const noun of nouns) removals.push(...(await reconcileNoun(run, organization, noun)))
  removals.push(...(await reconcileSubscriptions(run, organization, wanted)))
  for (const remove of removals.reverse()) await remove()
}

/**
 * Of an organization a document manages the key policy alone: also of the one that the first start made, which nobody
 * else manages. A document that says nothing lifts only what it had set.
 */
async function reconcileKeyPolicy(
  run: Run,
  { id, slug, managedBy, keyPolicy: held }: Organization,
  { keyPolicy: said }: DesiredOrganization,
): Promise<void> {
  const isOurs = managedBy === run.managedBy
  if (said === null && !isOurs) return
  const keyPolicy = said ?? {}
  if (isDeepStrictEqual(held, keyPolicy)) return
  if (!isOurs && managedBy !== 'setup') requireManager(run, { managedBy }, `organization ${slug}`)
  run.changes.push({
    action: 'update',
    noun: 'organization',
    name: slug,
    organization: slug,
    fields: ['keyPolicy'],
  })
  await run.tables.organizations.update(id, { patch: { keyPolicy }, now: run.now })
}

const bySlug = (record: TenantRecord): string => (record as TenantRecord & { slug: string }).slug
const byName = (record: TenantRecord): string => (record as TenantRecord & { name: string }).name
const table = (value: unknown): Table<TenantRecord> => value as Table<TenantRecord>

/** What is served, and to whom. */
function servedNouns(tables: StoreTables, wanted: DesiredOrganization): readonly Noun[] {
  return [
    {
      noun: 'deployment',
      idPrefix: 'dep',
      table: table(tables.deployments),
      nameOf: bySlug,
      desired: wanted.deployments,
      fixed: ['slug'],
    },
    {
      noun: 'model',
      idPrefix: 'rte',
      table: table(tables.routes),
      nameOf: byName,
      desired: wanted.routes,
      fixed: [],
    },
    {
      noun: 'product',
      idPrefix: 'prd',
      table: table(tables.products),
      nameOf: bySlug,
      desired: wanted.products,
      fixed: ['slug'],
    },
    {
      noun: 'plan',
      idPrefix: 'pln',
      table: table(tables.plans),
      nameOf: bySlug,
      desired: wanted.plans,
      fixed: ['slug'],
    },
    {
      noun: 'application',
      idPrefix: 'app',
      table: table(tables.applications),
      nameOf: bySlug,
      desired: wanted.applications,
      fixed: ['slug'],
    },
  ]
}

/** What rules over it. */
function rulingNouns(tables: StoreTables, wanted: DesiredOrganization): readonly Noun[] {
  return [
    {
      noun: 'limit',
      idPrefix: 'lim',
      table: table(tables.limits),
      nameOf: byName,
      desired: wanted.limits,
      fixed: ['name'],
    },
    {
      noun: 'token issuer',
      idPrefix: 'tis',
      table: table(tables.tokenIssuers),
      nameOf: byName,
      desired: wanted.tokenIssuers,
      fixed: ['name'],
    },
    {
      noun: 'guard',
      idPrefix: 'grd',
      table: table(tables.guards),
      nameOf: byName,
      desired: wanted.guards,
      fixed: ['name', 'detector'],
    },
    {
      noun: 'policy',
      idPrefix: 'pol',
      table: table(tables.policies),
      nameOf: bySlug,
      desired: wanted.policies,
      fixed: ['slug'],
      complete: completePolicy,
    },
  ]
}

/** A policy that the schema does not allow is not stored; the others count what changed. */
function completePolicy(own: object, record: TenantRecord | undefined): object {
  const policy = own as Pick<AccessPolicy, 'slug' | 'cedar' | 'enabled'>
  requirePolicy({ name: policy.slug, text: policy.cedar })
  const revision = record === undefined ? 1 : revisionAfter(record as AccessPolicy, policy)
  return { ...own, revision }
}

/** Create and update now; return the removals for later. */
async function reconcileNoun(
  run: Run,
  organization: Organization,
  noun: Noun,
): Promise<(() => Promise<void>)[]> {
  const stored = await listAll((query) => noun.table.list(organization.id, query))
  const byName = new Map(stored.map((record) => [noun.nameOf(record), record]))
  const change = (action: ResourceChange['action'], name: string, fields: readonly string[] = []): void => {
    run.changes.push({ action, noun: noun.noun, name, organization: organization.slug, fields })
  }
  for (const [name, given] of noun.desired) {
    const record = byName.get(name)
    await forResource(noun.noun, name, async () => {
      const own = noun.complete?.(given, record) ?? given
      const whole = { ...stamp(run, noun.idPrefix), organizationId: organization.id, ...own } as TenantRecord
      if (noun.noun === 'deployment')
        await run.checkDeployment?.({ ...record, ...whole } as unknown as Deployment)
      if (record === undefined) {
        change('create', name)
        await noun.table.create(whole)
        return
      }
      requireManager(run, record, `${noun.noun} ${name}`)
      const fields = differingFields(record, own)
      if (fields.length === 0) return
      change('update', name, fields)
      const patch = Object.fromEntries(Object.entries(own).filter(([field]) => !noun.fixed.includes(field)))
      await noun.table.update(organization.id, record.id, {
        patch: patch as Partial<TenantRecord>,
        now: run.now,
      })
    })
  }
  return stored
    .filter((record) => record.managedBy === run.managedBy && !noun.desired.has(noun.nameOf(record)))
    .map((record) => async () => {
      const name = noun.nameOf(record)
      change('remove', name)
      // What is in use is not named by the document: its refusal goes as it is.
      await noun.table.remove(organization.id, record.id)
    })
}

function requireManager(run: Run, record: { readonly managedBy: ManagedBy }, what: string): void {
  if (record.managedBy === run.managedBy) return
  const reason = `the ${what} exists already and is managed by ${record.managedBy}`
  throw new Fault(faults.configInvalid, { public: { reason } })
}

function differingFields(record: object, own: object): string[] {
  const held = record as Readonly<Record<string, unknown>>
  return Object.entries(own)
    .filter(([field, value]) => !isDeepStrictEqual(held[field], value))
    .map(([field]) => field)
}

/** What a document says of one subscription, with names resolved. */
type OwnSubscription = Pick<Subscription, 'applicationId' | 'productId' | 'planId' | 'state'>

/** A subscription that the same manager made takes the document's state and plan again. */
async function restoreSubscription(
  run: Run,
  organization: Organization,
  place: { readonly found: Subscription; readonly name: string; readonly own: OwnSubscription },
): Promise<void> {
  const { found, name, own } = place
  const fields = differingFields(found, own)
  if (found.managedBy !== run.managedBy || fields.length === 0) return
  run.changes.push({ action: 'update', noun: 'subscription', name, organization: organization.slug, fields })
  const patch = { state: own.state, planId: own.planId }
  await run.tables.subscriptions.update(organization.id, found.id, { patch, now: run.now })
}

/** @throws ResourceRefusal naming the application when the document names what is not there */
async function resolveSubscription(
  tables: StoreTables,
  organizationId: string,
  { application, product, plan, state }: DesiredSubscription,
): Promise<OwnSubscription> {
  const applicationId = (await tables.applications.find(organizationId, application))?.id
  const productId = (await tables.products.find(organizationId, product))?.id
  const planId = plan === null ? null : (await tables.plans.find(organizationId, plan))?.id
  if (applicationId === undefined || productId === undefined || planId === undefined) {
    const reason = productId === undefined ? `there is no product ${product}` : `there is no plan ${plan}`
    throw new ResourceRefusal(
      { noun: 'application', resource: application },
      new Fault(faults.configInvalid, { public: { reason } }),
    )
  }
  return { applicationId, productId, planId, state }
}

async function reconcileSubscriptions(
  run: Run,
  organization: Organization,
  wanted: DesiredOrganization,
): Promise<(() => Promise<void>)[]> {
  const { tables } = run
  const stored = await listAll<Subscription>((query) => tables.subscriptions.list(organization.id, query))
  const kept = new Set<string>()
  for (const desired of wanted.subscriptions) {
    const own = await resolveSubscription(tables, organization.id, desired)
    const name = `${desired.application}/${desired.product}`
    const found = stored.find(
      (each) => each.applicationId === own.applicationId && each.productId === own.productId,
    )
    if (found !== undefined) {
      kept.add(found.id)
      await restoreSubscription(run, organization, { found, name, own })
      continue
    }
    run.changes.push({
      action: 'create',
      noun: 'subscription',
      name,
      organization: organization.slug,
      fields: [],
    })
    await tables.subscriptions.create({ ...stamp(run, 'sub'), organizationId: organization.id, ...own })
  }
  return stored
    .filter((each) => each.managedBy === run.managedBy && !kept.has(each.id))
    .map((each) => async () => {
      // Removals run subscriptions first: both ends are still there.
      const application = await tables.applications.get(organization.id, each.applicationId)
      const product = await tables.products.get(organization.id, each.productId)
      run.changes.push({
        action: 'remove',
        noun: 'subscription',
        name: `${application?.slug ?? each.applicationId}/${product?.slug ?? each.productId}`,
        organization: organization.slug,
        fields: [],
      })
      await tables.subscriptions.remove(organization.id, each.id)
    })
}
