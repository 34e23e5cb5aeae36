/**
 * How a writer meets fields that only their own dialect knows. Same dialect: they are put back. Another dialect:
 * each is dropped as `droppable.ts` allows, or refused by the name of the caller's field.
 */
import type { Native, Part } from '../domain/canonical.ts'
import type { DialectId } from '../domain/dialect-id.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { Downgrade } from './dialect.ts'
import { type DroppableFields, type DroppableRule, droppable, type NativeLevel } from './droppable.ts'
import { isJsonArray, pathOf } from './reading.ts'

/** Refusal: `field` in the caller's terms; `reason` completes "cannot be expressed for this model (dialect): …". */
export function cannotExpress(field: string, dialect: DialectId, reason: string): Fault {
  return new Fault(faults.cannotExpress, { public: { field, dialect, reason }, param: field })
}

export interface NativeTarget {
  readonly dialect: DialectId
  readonly downgrade: (downgrade: Downgrade) => void
  /** True while a response is written: it is too late to refuse, so every foreign field is dropped and reported. */
  readonly responding?: boolean
  /** Foreign fields that the writer has expressed itself. */
  readonly translated?: ReadonlySet<string>
}

const responseLoss = 'the response held something that this API cannot carry'

const noFields: JsonObject = Object.freeze({})

/**
 * The fields to put back into a request of `target.dialect`; empty where there are none or they belong to another
 * dialect and may be dropped. Fields in `target.translated` are skipped. Throws
 * `faults.cannotExpress` for a foreign field that may not be dropped, unless `target.responding`.
 */
export function nativeFields(
  native: Native | undefined,
  level: NativeLevel,
  target: NativeTarget,
): JsonObject {
  if (native === undefined) return noFields
  if (native.dialect === target.dialect) return native.fields
  const fields = target.translated === undefined ? native.fields : without(native.fields, target.translated)
  drop(fields, droppable[native.dialect][level], { at: native.at ?? '', target })
  return noFields
}

function without(fields: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.has(name)))
}

function drop(fields: JsonObject, table: DroppableFields, place: { at: string; target: NativeTarget }): void {
  const { at, target } = place
  for (const key in fields) {
    const value = fields[key]
    if (saysNothing(value)) continue
    const rule = Object.hasOwn(table, key) ? table[key] : undefined
    const field = pathOf(at, key)
    const reason = reasonOf(rule, value)
    if (reason === null) continue
    if (reason !== undefined) target.downgrade({ field, reason })
    else if (typeof rule === 'object' && rule !== null && 'inside' in rule && typeof value === 'object') {
      dropInside(value, rule.inside, { at: rule.unnamed === true ? at : field, target })
    } else if (target.responding === true) target.downgrade({ field, reason: responseLoss })
    else throw cannotExpress(field, target.dialect, 'it is particular to another API')
  }
}

/** An object, or each object of a list. */
function dropInside(
  value: JsonValue,
  table: DroppableFields,
  place: { at: string; target: NativeTarget },
): void {
  if (isJsonObject(value)) drop(value, table, place)
  if (!isJsonArray(value)) return
  for (const [index, entry] of value.entries()) {
    if (isJsonObject(entry)) drop(entry, table, { ...place, at: `${place.at}[${index}]` })
  }
}

/** A reason to report, `null` for nothing to report, undefined for no leave to drop. */
function reasonOf(rule: DroppableRule | undefined, value: JsonValue | undefined): string | null | undefined {
  if (rule === undefined || rule === null || typeof rule === 'string') return rule
  if (!('only' in rule)) return undefined
  return sameJson(rule.only, value) ? null : rule.otherwise
}

/** `null`, or an object that holds nothing but such values. */
function saysNothing(value: JsonValue | undefined): boolean {
  if (value === null || value === undefined) return true
  return isJsonObject(value) && Object.values(value).every(saysNothing)
}

function sameJson(left: JsonValue, right: JsonValue | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

/**
 * The same for a response on its way to a caller: nothing can be refused any more, so every foreign field is
 * dropped; parts, which are content, are reported by `dropResponsePart`.
 */
export function nativeResponseFields(native: Native | undefined, dialect: DialectId): JsonObject {
  return native !== undefined && native.dialect === dialect ? native.fields : noFields
}

/** A response part that the caller's dialect has no word for: left out, and said so. */
export function dropResponsePart(part: Part, target: NativeTarget): void {
  target.downgrade({
    field: part.type === 'opaque' ? opaqueName(part.native) : part.type,
    reason: responseLoss,
  })
}

function opaqueName(native: Native): string {
  const type = native.fields['type']
  return typeof type === 'string' ? type : (Object.keys(native.fields)[0] ?? 'opaque')
}
