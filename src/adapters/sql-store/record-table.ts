/** What the generic operations on records work with: a noun, its codec, what it does beyond its row. */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { type Codec, createCodec } from './columns.ts'
import type { Row } from './database.ts'
import type { Noun } from './nouns.ts'
import type { Session } from './session.ts'

/** Organization id, or null where the noun allows acting for all. */
export type Scope = string | null

export interface Identified {
  readonly id: string
  readonly createdAt: number
}

/** What a noun does beyond its own row, in the same transaction. */
export interface RecordHooks<T> {
  /** The unique name as shown in a conflict, where it is not one field. */
  nameOf?(record: T): string
  /** Columns besides the record's own. `version` is the version of the change. */
  columns?(record: T, version: number): Row
  beforeWrite?(session: Session, record: T): Promise<void>
  afterWrite?(session: Session, record: T): Promise<void>
  beforeRemove?(session: Session, removal: { readonly record: T; readonly version: number }): Promise<void>
}

export interface RecordTable<T> {
  readonly noun: Noun<T>
  readonly codec: Codec<T>
  readonly hooks: RecordHooks<T>
}

export function defineTable<T extends Identified>(noun: Noun<T>, hooks: RecordHooks<T> = {}): RecordTable<T> {
  return { noun, codec: createCodec(noun.columns), hooks }
}

export function fieldOf(record: object, field: string): unknown {
  return (record as Readonly<Record<string, unknown>>)[field]
}

/**
 * The condition that every statement on the table carries, as column and value pairs. Throws where a noun that
 * belongs to organizations is asked for without one: a missing id must never mean all of them.
 */
export function scopeOf<T>(noun: Noun<T>, scope: Scope): readonly (readonly [string, string])[] {
  if (noun.scope === 'never') return []
  if (typeof scope === 'string') return [['organization_id', scope]]
  if (scope !== null || noun.scope === 'always') throw new Error(`${noun.table} needs an organization id`)
  return []
}

export function notFound(noun: string, id: string): Fault {
  return new Fault(faults.objectNotFound, { public: { noun, id } })
}

export function conflict(noun: string, name: string): Fault {
  return new Fault(faults.conflict, { public: { noun, name } })
}
