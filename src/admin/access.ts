/**
 * Which records a caller may reach. A token bound to an organization sees that one only; everything else is as
 * good as absent (404, never 403, so that ids of others cannot be probed).
 */
import type { ManagedBy, Organization } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { StoreTables } from '../ports/store.ts'
import type { AdminContext } from './context.ts'

const idPattern = /^[a-z]+_[0-9A-Za-z]{22}$/

/** True for text that has the form of a record id; anything else is a unique name. */
export function looksLikeId(reference: string): boolean {
  return idPattern.test(reference)
}

export function notFound(noun: string, id: string): Fault {
  return new Fault(faults.objectNotFound, { public: { noun, id }, param: noun })
}

/** The organization of a path or body reference. @throws 404 where absent or not the caller's */
export async function openOrganization(ctx: AdminContext, reference: string): Promise<Organization> {
  const table = ctx.deps.store.organizations
  const found = (looksLikeId(reference) ? await table.get(reference) : null) ?? (await table.find(reference))
  const bound = ctx.caller.organizationId
  if (found === null || (bound !== null && bound !== found.id)) throw notFound('organization', reference)
  return found
}

/** A read of one tenant-owned table. */
export interface Lookup<T> {
  get(organizationId: string, id: string): Promise<T | null>
  find(organizationId: string, name: string): Promise<T | null>
}

export interface RecordReference {
  readonly noun: string
  readonly organizationId: string
  /** Id or unique name. */
  readonly reference: string
}

/** A record by id or unique name. @throws 404 */
export async function openRecord<T>(table: Lookup<T>, wanted: RecordReference): Promise<T> {
  const { organizationId, reference } = wanted
  const byId = looksLikeId(reference) ? await table.get(organizationId, reference) : null
  const found = byId ?? (await table.find(organizationId, reference))
  if (found === null) throw notFound(wanted.noun, reference)
  return found
}

/** Deployments, applications … by slug or id, as the table for `openRecord`. */
export function tableOf<K extends keyof StoreTables>(ctx: AdminContext, name: K): StoreTables[K] {
  return ctx.deps.store[name]
}

const managers: Readonly<Record<ManagedBy, string | null>> = {
  api: null,
  setup: null,
  file: 'gatewright.yaml',
  environment: 'the environment of the server',
}

/** @throws 409 where a file or the environment manages the record */
export function requireWritable(noun: string, record: { readonly managedBy: ManagedBy }): void {
  const manager = managers[record.managedBy]
  if (manager !== null) throw new Fault(faults.readOnly, { public: { noun, manager } })
}

/** @throws 403 where the caller is bound to one organization */
export function requireUnbound(ctx: AdminContext): void {
  if (ctx.caller.organizationId !== null) throw new Fault(faults.organizationBound)
}

/** @throws 403 unless the caller has scope `admin` and is bound to no organization */
export function requireInstallationAdmin(ctx: AdminContext): void {
  if (!ctx.caller.scopes.includes('admin')) {
    throw new Fault(faults.scopeDenied, { public: { scope: 'admin' } })
  }
  requireUnbound(ctx)
}
