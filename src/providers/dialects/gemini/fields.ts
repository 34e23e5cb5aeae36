/**
 * The API takes its own fields in camelCase and in snake_case (Protocol Buffers JSON mapping); we read both and
 * write camelCase. Only objects of the protocol are renamed, never a caller's values (arguments, schemas, labels).
 */
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import { invalidField, pathOf, readOptionalObject } from '../../reading.ts'

const snakeCase = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/

/** The object itself where no key is in snake_case; throws `invalidField` where a field is given in both. */
export function camelCased(object: JsonObject, at: string): JsonObject {
  let out: Record<string, JsonValue | undefined> | undefined
  for (const key in object) {
    if (!snakeCase.test(key)) continue
    const renamed = key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase())
    if (object[renamed] !== undefined) throw invalidField(pathOf(at, key), `it is given as ${renamed} too`)
    out ??= { ...object }
    delete out[key]
    out[renamed] = object[key]
  }
  return out ?? object
}

/** A nested object of the protocol, renamed; undefined when it is absent. */
export function readNested(object: JsonObject, key: string, at: string): JsonObject | undefined {
  const value = readOptionalObject(object, key, at)
  return value === undefined ? undefined : camelCased(value, pathOf(at, key))
}
