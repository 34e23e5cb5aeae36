/**
 * What of the admin API goes into the audit log, by the rows of `register.ts`: everything that changes something, and
 * what shows more than the state of the configuration. An image of an object has the fields that its noun shows to
 * readers, so no secret is in one; those that are about a person are named here.
 */
import type { TSchema } from 'typebox'
import type { Subject } from '../domain/audit-subject.ts'
import { isJsonObject } from '../domain/json.ts'
import type { AdminOperation } from './operation.ts'
import { type AdminRow, adminTable } from './register.ts'

/**
 * change: an entry before it is done and one after · look: one entry, and nothing is shown without it · none: reading
 * the configuration, which tells nobody more than the configuration.
 */
export type AuditKind = 'change' | 'look' | 'none'

/** Rows that are recorded once they are done. */
const looks: ReadonlySet<string> = new Set([
  'content-get',
  'usage-export',
  'usage-records',
  'config-export',
  'config-diff',
  'deployment-test',
  'policy-validate',
  // It changes much, but nobody may fill the log with entries about what was not done: the link is no proof yet.
  'setup-exchange',
])

export function auditKindOf({ name, method }: Pick<AdminRow, 'name' | 'method'>): AuditKind {
  if (looks.has(name)) return 'look'
  return method === 'GET' ? 'none' : 'change'
}

export interface AuditName {
  /** `key.rotate` */
  readonly action: string
  /** `key` */
  readonly noun: string
}

export function auditNameOf(name: string): AuditName {
  const at = name.lastIndexOf('-')
  const noun = name.slice(0, at)
  return { action: `${noun}.${name.slice(at + 1)}`, noun }
}

const rowsByName = new Map(adminTable.map((row) => [row.name, row]))

/** Reads the object that a member path names; null where the noun has no such operation. */
export function readerOf({ noun }: AuditName): AdminOperation | null {
  return rowsByName.get(`${noun}-get`)?.operation ?? null
}

/** Fields of results that are no object of a noun, and may be kept. */
const resultFields: ReadonlyMap<string, readonly string[]> = new Map([
  ['config-apply', ['changes']],
  ['pepper-rotate', ['current', 'kept', 'dropped']],
  ['secret-rewrap', ['credentials', 'peppers', 'auditKeys']],
])

/** A schema of answers as far as this file reads it. */
interface ObjectSchema {
  readonly properties?: Readonly<Record<string, ObjectSchema>>
  readonly items?: ObjectSchema
}

function schemaOf(operation: AdminOperation | undefined): ObjectSchema {
  if (operation === undefined || !('schema' in operation.success)) return {}
  return operation.success.schema as TSchema & ObjectSchema
}

/** Names of the fields that a noun shows to readers: of its `-get`, else of the items of its `-list`. */
function viewFields(noun: string): readonly string[] {
  const got = schemaOf(rowsByName.get(`${noun}-get`)?.operation).properties
  const listed = schemaOf(rowsByName.get(`${noun}-list`)?.operation).properties?.['items']?.items?.properties
  return Object.keys(got ?? listed ?? {})
}

export type Image = Readonly<Record<string, unknown>>

function pick(source: Image, names: readonly string[]): Image | null {
  const kept = names.filter((name) => source[name] !== undefined).map((name) => [name, source[name]])
  return kept.length === 0 ? null : Object.fromEntries(kept)
}

/** Answers that carry a secret beside the object carry the object under this name. */
const nested: ReadonlyMap<string, { readonly field: string; readonly noun: string }> = new Map([
  ['key-create', { field: 'key', noun: 'key' }],
  ['key-rotate', { field: 'key', noun: 'key' }],
  ['admin-token-create', { field: 'adminToken', noun: 'admin-token' }],
  ['setup-exchange', { field: 'adminToken', noun: 'admin-token' }],
])

/** What may be kept of what an operation answered; null: nothing. */
export function imageOf(rowName: string, result: unknown): Image | null {
  if (!isJsonObject(result)) return null
  const fields = resultFields.get(rowName)
  if (fields !== undefined) return pick(result, fields)
  const place = nested.get(rowName)
  const object = place === undefined ? result : result[place.field]
  return isJsonObject(object) ? pick(object, viewFields(place?.noun ?? auditNameOf(rowName).noun)) : null
}

export interface PartedImage {
  readonly image: Image | null
  readonly personal: { readonly subject: Subject; readonly fields: Image } | null
}

/** The image without what is about a person: the name on an admin token, the subject whose tokens were revoked. */
export function partPersonal(image: Image | null): PartedImage {
  if (image?.['kind'] === 'subject' && typeof image['value'] === 'string' && 'issuedUntil' in image) {
    const { value, ...rest } = image
    const organizationId = String(image['organizationId'] ?? '')
    return {
      image: rest,
      personal: { subject: { kind: 'end-user', organizationId, id: String(value) }, fields: { value } },
    }
  }
  const tokenId = image?.['tokenId']
  if (image === null || typeof tokenId !== 'string') return { image, personal: null }
  const { name, ...rest } = image
  return {
    image: rest,
    personal: { subject: { kind: 'admin', organizationId: '', id: tokenId }, fields: { name } },
  }
}
