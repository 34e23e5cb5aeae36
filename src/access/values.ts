/**
 * Values of the Cedar language as the compiled evaluator holds them: booleans, strings and integers as in
 * JavaScript, the others as the classes below. Integers are safe ones alone: what could leave their range is not
 * compiled (`compile-expression.ts`) and goes to the Cedar engine itself.
 */
import type { IpRange } from './ip-range.ts'

/** Names an entity. Two of one type and id are the same entity. */
export class EntityUid {
  readonly type: string
  readonly id: string
  /** Unique text, for maps and comparisons. */
  readonly key: string

  constructor(type: string, id: string) {
    this.type = type
    this.id = id
    // No type has a space in it.
    this.key = `${type} ${id}`
  }
}

export class CedarSet {
  readonly items: readonly CedarValue[]

  constructor(items: readonly CedarValue[]) {
    this.items = items
  }

  contains(value: CedarValue): boolean {
    for (const item of this.items) if (equals(item, value)) return true
    return false
  }

  containsAll(other: CedarSet): boolean {
    return other.items.every((item) => this.contains(item))
  }

  containsAny(other: CedarSet): boolean {
    return other.items.some((item) => this.contains(item))
  }
}

export class CedarRecord {
  readonly fields: ReadonlyMap<string, CedarValue>

  constructor(fields: ReadonlyMap<string, CedarValue>) {
    this.fields = fields
  }
}

export type CedarValue = boolean | string | number | EntityUid | CedarSet | CedarRecord | IpRange

/** An entity with its attributes and all that it is in, however indirectly. */
export interface Entity {
  readonly uid: EntityUid
  readonly attributes: CedarRecord
  readonly ancestors: readonly EntityUid[]
}

/** Values of different types are unequal, never an error. */
export function equals(a: CedarValue, b: CedarValue): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object') return false
  if (a instanceof EntityUid) return b instanceof EntityUid && a.key === b.key
  if (a instanceof CedarSet) return b instanceof CedarSet && a.containsAll(b) && b.containsAll(a)
  if (a instanceof CedarRecord) return b instanceof CedarRecord && equalFields(a.fields, b.fields)
  if (b instanceof EntityUid || b instanceof CedarSet || b instanceof CedarRecord) return false
  return a.equals(b)
}

function equalFields(a: CedarRecord['fields'], b: CedarRecord['fields']): boolean {
  if (a.size !== b.size) return false
  for (const [name, value] of a) {
    const other = b.get(name)
    if (other === undefined || !equals(value, other)) return false
  }
  return true
}

/** A record of these fields; those that are undefined are not there. */
export function recordOf(fields: Readonly<Record<string, CedarValue | undefined>>): CedarRecord {
  const known = Object.entries(fields).filter(
    (entry): entry is [string, CedarValue] => entry[1] !== undefined,
  )
  return new CedarRecord(new Map(known))
}
