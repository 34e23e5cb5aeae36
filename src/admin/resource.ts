/**
 * Tenant-owned records as resources: what the nouns share (list, get, create, update, remove) is written once
 * here; each operation folder says only what is its own. A resource row names its table, its view and its words.
 */
import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox'
import type { ManagedBy, Organization } from '../domain/entities.ts'
import type { FaultName } from '../faults/catalogue.ts'
import { newId } from '../kernel/ids.ts'
import type { PageQuery, StoreTables, TenantTable } from '../ports/store.ts'
import { openOrganization, openRecord, requireWritable } from './access.ts'
import type { AdminContext, AdminDependencies } from './context.ts'
import { type AdminOperation, defineOperation } from './operation.ts'
import { closed, expectedUpdatedAt, organizationReference, pageOf, pageQuery, reference } from './schemas.ts'

interface TenantRecord {
  readonly id: string
  readonly organizationId: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly managedBy: ManagedBy
}

/** Fields that every record gets from here. */
export type Own<T extends TenantRecord> = Omit<T, keyof TenantRecord>

type ReadTable<T> = Pick<TenantTable<T, never, unknown>, 'get' | 'find' | 'list' | 'remove'>

export interface Resource<T extends TenantRecord, V extends TObject> {
  /** Singular, as in messages. */
  readonly noun: string
  /** Plural, as in messages. */
  readonly plural: string
  readonly idPrefix: string
  /** What the unique name is called. */
  readonly uniqueName: string
  readonly view: V
  table(tables: StoreTables): ReadTable<T>
  show(record: T, deps: AdminDependencies): Static<V>
}

export function memberParams(resource: { readonly noun: string; readonly uniqueName: string }) {
  return closed({ organization: organizationReference, id: reference(resource.noun, resource.uniqueName) })
}
export const collectionParams = closed({ organization: organizationReference })

interface Words {
  readonly summary?: string
  readonly description?: string
}

/** A page of records, keyset pagination. `filters` are passed on to the table. */
export function listOperation<T extends TenantRecord, V extends TObject>(
  resource: Resource<T, V>,
  filters: TProperties = {},
): AdminOperation {
  return defineOperation({
    tag: resource.plural,
    summary: `List ${resource.plural}`,
    params: collectionParams,
    query: Type.Object({ ...pageQuery, ...filters }, { additionalProperties: false }),
    success: {
      status: 200,
      description: `A page of ${resource.plural}.`,
      schema: pageOf(resource.view) as TSchema,
    },
    faults: ['objectNotFound', 'validation'],
    async run(ctx, { params, query }) {
      const organization = await openOrganization(ctx, params.organization)
      const page = await resource.table(ctx.deps.store).list(organization.id, query as PageQuery)
      return { items: page.items.map((record) => resource.show(record, ctx.deps)), next: page.next }
    },
  })
}

export function getOperation<T extends TenantRecord, V extends TObject>(
  resource: Resource<T, V>,
): AdminOperation {
  return defineOperation({
    tag: resource.plural,
    summary: `Get one ${resource.noun}`,
    params: memberParams(resource),
    success: { status: 200, description: `The ${resource.noun}.`, schema: resource.view as TSchema },
    faults: ['objectNotFound'],
    async run(ctx, { params }) {
      return resource.show(await openMember(ctx, resource, params), ctx.deps)
    },
  })
}

/** The record that a member path names. @throws 404 */
export async function openMember<T extends TenantRecord, V extends TObject>(
  ctx: AdminContext,
  resource: Resource<T, V>,
  params: { readonly organization: string; readonly id: string },
): Promise<T> {
  const organization = await openOrganization(ctx, params.organization)
  return openRecord(resource.table(ctx.deps.store), {
    noun: resource.noun,
    organizationId: organization.id,
    reference: params.id,
  })
}

interface CreateDefinition<T extends TenantRecord, B extends TObject> extends Words {
  readonly body: B
  readonly faults?: readonly FaultName[]
  /** The record's own fields. */
  build(ctx: AdminContext, organization: Organization, body: Static<B>): Promise<Own<T>> | Own<T>
  /** Store it; other writes that belong to it go into the same transaction. */
  store(ctx: AdminContext, record: T, body: Static<B>): Promise<T>
}

export function createOperation<T extends TenantRecord, V extends TObject, B extends TObject>(
  resource: Resource<T, V>,
  definition: CreateDefinition<T, B>,
): AdminOperation {
  return defineOperation({
    tag: resource.plural,
    summary: definition.summary ?? `Create one ${resource.noun}`,
    ...(definition.description === undefined ? {} : { description: definition.description }),
    params: collectionParams,
    body: definition.body as TSchema,
    success: { status: 201, description: `The new ${resource.noun}.`, schema: resource.view as TSchema },
    faults: ['objectNotFound', 'conflict', ...(definition.faults ?? [])],
    async run(ctx, { params, body }) {
      const organization = await openOrganization(ctx, params.organization)
      const given = body as Static<B>
      const own = await definition.build(ctx, organization, given)
      const record = {
        ...stamp(ctx, resource.idPrefix),
        organizationId: organization.id,
        ...own,
      } as unknown as T
      return resource.show(await definition.store(ctx, record, given), ctx.deps)
    },
  })
}

/** Id, times and manager of a record made through the API. */
export function stamp(ctx: AdminContext, idPrefix: string) {
  const now = ctx.deps.clock.now()
  return { id: newId(idPrefix), createdAt: now, updatedAt: now, managedBy: 'api' as const }
}

interface UpdateDefinition<T extends TenantRecord, B extends TProperties> extends Words {
  /** Fields that may change, all optional. */
  readonly body: B
  readonly faults?: readonly FaultName[]
  /** Store the change. `fields` are the given ones; `terms` carry time and expectation. */
  change(
    ctx: AdminContext,
    record: T,
    request: { readonly fields: Partial<Static<TObject<B>>>; readonly terms: Terms },
  ): Promise<T>
}

export interface Terms {
  readonly now: number
  readonly expectedUpdatedAt?: number
}

/** A change as given, parted into the fields to change and the terms. */
export function updateTerms<F extends { readonly expectedUpdatedAt?: number }>(
  ctx: AdminContext,
  given: F,
): { readonly fields: Omit<F, 'expectedUpdatedAt'>; readonly terms: Terms } {
  const { expectedUpdatedAt: expected, ...fields } = given
  const now = ctx.deps.clock.now()
  return { fields, terms: expected === undefined ? { now } : { now, expectedUpdatedAt: expected } }
}

export function updateOperation<T extends TenantRecord, V extends TObject, B extends TProperties>(
  resource: Resource<T, V>,
  definition: UpdateDefinition<T, B>,
): AdminOperation {
  const body = Type.Object(
    { ...optionalFields(definition.body), expectedUpdatedAt },
    { additionalProperties: false },
  )
  return defineOperation({
    tag: resource.plural,
    summary: definition.summary ?? `Change one ${resource.noun}`,
    description: definition.description ?? 'Fields left out stay as they are.',
    params: memberParams(resource),
    body: body as TSchema,
    success: { status: 200, description: `The changed ${resource.noun}.`, schema: resource.view as TSchema },
    faults: ['objectNotFound', 'readOnly', 'staleUpdate', ...(definition.faults ?? [])],
    async run(ctx, { params, body: given }) {
      const record = await openMember(ctx, resource, params)
      requireWritable(resource.noun, record)
      const { fields, terms } = updateTerms(ctx, given as { expectedUpdatedAt?: number })
      const changed = await definition.change(ctx, record, {
        fields: fields as Partial<Static<TObject<B>>>,
        terms,
      })
      return resource.show(changed, ctx.deps)
    },
  })
}

function optionalFields(properties: TProperties): TProperties {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)]))
}

export function removeOperation<T extends TenantRecord, V extends TObject>(
  resource: Resource<T, V>,
  after?: (ctx: AdminContext, record: T) => Promise<void>,
): AdminOperation {
  return defineOperation({
    tag: resource.plural,
    summary: `Delete one ${resource.noun}`,
    params: memberParams(resource),
    success: { status: 204, description: `The ${resource.noun} is gone.` },
    faults: ['objectNotFound', 'readOnly', 'inUse'],
    async run(ctx, { params }) {
      const record = await openMember(ctx, resource, params)
      requireWritable(resource.noun, record)
      await resource.table(ctx.deps.store).remove(record.organizationId, record.id)
      await after?.(ctx, record)
      return undefined
    },
  })
}
