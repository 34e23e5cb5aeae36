/**
 * Typed reading of untrusted JSON. A reader takes an object, a key and the path of the object in the caller's own
 * terms (`''` at the top, else `messages[0]`), so that no path text is built unless something is wrong.
 *
 * `null` counts as absent in the `…Optional` readers, as it does in every dialect's own API. A wrong type throws
 * `faults.invalidField`, an absent required field `faults.missingField`, both with `param`.
 */
import type { Native } from '../domain/canonical.ts'
import type { DialectId } from '../domain/dialect-id.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'

/** `at.key`, or `key` at the top. */
export function pathOf(at: string, key: string): string {
  return at === '' ? key : `${at}.${key}`
}

/** A malformed field; `reason` completes "The field x is not valid: …". */
export function invalidField(path: string, reason: string): Fault {
  return new Fault(faults.invalidField, { public: { field: path, reason }, param: path })
}

export function missingField(path: string): Fault {
  return new Fault(faults.missingField, { public: { field: path }, param: path })
}

export function readOptionalString(object: JsonObject, key: string, at: string): string | undefined {
  const value = object[key]
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return undefined
  throw invalidField(pathOf(at, key), 'it must be a string')
}

export function readString(object: JsonObject, key: string, at: string): string {
  const value = readOptionalString(object, key, at)
  if (value === undefined) throw missingField(pathOf(at, key))
  return value
}

/** A finite number. */
export function readOptionalNumber(object: JsonObject, key: string, at: string): number | undefined {
  const value = object[key]
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (value === undefined || value === null) return undefined
  throw invalidField(pathOf(at, key), 'it must be a number')
}

/** A whole number of at least 0. */
export function readOptionalCount(object: JsonObject, key: string, at: string): number | undefined {
  const value = readOptionalNumber(object, key, at)
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value
  throw invalidField(pathOf(at, key), 'it must be a whole number of at least 0')
}

/** A whole number, negative ones too (seeds). */
export function readOptionalInteger(object: JsonObject, key: string, at: string): number | undefined {
  const value = readOptionalNumber(object, key, at)
  if (value === undefined || Number.isInteger(value)) return value
  throw invalidField(pathOf(at, key), 'it must be a whole number')
}

export function readOptionalBoolean(object: JsonObject, key: string, at: string): boolean | undefined {
  const value = object[key]
  if (typeof value === 'boolean') return value
  if (value === undefined || value === null) return undefined
  throw invalidField(pathOf(at, key), 'it must be true or false')
}

export function readOptionalObject(object: JsonObject, key: string, at: string): JsonObject | undefined {
  const value = object[key]
  if (isJsonObject(value)) return value
  if (value === undefined || value === null) return undefined
  throw invalidField(pathOf(at, key), 'it must be an object')
}

export function readObject(object: JsonObject, key: string, at: string): JsonObject {
  const value = readOptionalObject(object, key, at)
  if (value === undefined) throw missingField(pathOf(at, key))
  return value
}

export function readOptionalArray(
  object: JsonObject,
  key: string,
  at: string,
): readonly JsonValue[] | undefined {
  const value = object[key]
  if (isJsonArray(value)) return value
  if (value === undefined || value === null) return undefined
  throw invalidField(pathOf(at, key), 'it must be an array')
}

export function readArray(object: JsonObject, key: string, at: string): readonly JsonValue[] {
  const value = readOptionalArray(object, key, at)
  if (value === undefined) throw missingField(pathOf(at, key))
  return value
}

/** One element that must be an object; `path` is its own path. */
export function expectObject(value: JsonValue | undefined, path: string): JsonObject {
  if (isJsonObject(value)) return value
  throw invalidField(path, 'it must be an object')
}

/** One element that must be a string; `path` is its own path. */
export function expectString(value: JsonValue | undefined, path: string): string {
  if (typeof value === 'string') return value
  throw invalidField(path, 'it must be a string')
}

export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** JSON text → value; undefined when it is not JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}

/** Lenient readings for provider responses: the wrong type reads as absent. */
export function stringOr<Fallback>(value: JsonValue | undefined, fallback: Fallback): string | Fallback {
  return typeof value === 'string' ? value : fallback
}

export function countOr<Fallback>(value: JsonValue | undefined, fallback: Fallback): number | Fallback {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : fallback
}

export function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return isJsonArray(value) ? value.filter(isJsonObject) : []
}

type Undefinable<T> = { readonly [K in keyof T]: T[K] | undefined }

/** The same object without the fields that are undefined. Copies only when there is such a field. */
export function present<T extends object>(fields: Undefinable<T>): T {
  for (const key in fields) {
    if (fields[key] === undefined) return copyPresent<T>(fields)
  }
  return fields as T
}

function copyPresent<T extends object>(fields: Undefinable<T>): T {
  const out: Partial<Record<string, unknown>> = {}
  for (const key in fields) {
    if (fields[key] !== undefined) out[key] = fields[key]
  }
  return out as T
}

/** Fields of a stream event that are not in `known` and not `null`; undefined when there are none. */
export function unknownFields(object: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  let fields: Record<string, JsonValue | undefined> | undefined
  for (const key in object) {
    if (known.has(key) || object[key] === null) continue
    fields ??= Object.create(null) as Record<string, JsonValue | undefined>
    fields[key] = object[key]
  }
  return fields
}

/**
 * What a reader did not take: fields not in `known`, and known fields that are `null` (so that the way back to the
 * same dialect restores them). Undefined when there is nothing, the usual case. The fields' holder has no
 * prototype, so that a field named `__proto__` stays a field.
 */
export function untaken(
  object: JsonObject,
  known: ReadonlySet<string>,
  origin: { readonly dialect: DialectId; readonly at: string },
): Native | undefined {
  let fields: Record<string, JsonValue | undefined> | undefined
  for (const key in object) {
    const value = object[key]
    if (value !== null && known.has(key)) continue
    fields ??= Object.create(null) as Record<string, JsonValue | undefined>
    fields[key] = value
  }
  return fields === undefined ? undefined : { dialect: origin.dialect, fields, at: origin.at }
}
