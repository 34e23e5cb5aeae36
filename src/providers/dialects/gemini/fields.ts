/**
 * The API takes its own fields in camelCase and in snake_case (Protocol Buffers JSON mapping); we read both and
 * write camelCase. Only objects of the protocol are renamed, never a caller's values (arguments, schemas, labels).
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { invalidField, isJsonArray, pathOf, readOptionalObject } from '../../reading.ts'

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

/** Objects of the request that are taken apart, innermost first. */
const nestedPaths = ['generationConfig', 'toolConfig.functionCallingConfig', 'toolConfig'] as const

/**
 * Leftovers of nested objects are kept under dotted names (`generationConfig.speechConfig`), so that faults and
 * the table of droppable fields can name them one by one. This puts them back into `body`.
 */
export function restoreNested(body: Record<string, JsonValue | undefined>, fields: JsonObject): void {
  for (const key in fields) {
    const base = nestedPaths.find((path) => key === path || key.startsWith(`${path}.`))
    const path = base === undefined ? [key] : base.split('.')
    if (base !== undefined && key !== base) path.push(key.slice(base.length + 1))
    setPath(body, path, fields[key])
  }
}

function setPath(
  target: Record<string, JsonValue | undefined>,
  path: readonly string[],
  value: JsonValue | undefined,
): void {
  const [key, ...rest] = path
  if (key === undefined) return
  const inner = target[key]
  if (rest.length === 0) {
    target[key] = inner ?? value
    return
  }
  const copy = isJsonObject(inner) ? { ...inner } : {}
  setPath(copy, rest, value)
  target[key] = copy
}

/** The other way: what is left of `object` beside `known`, under dotted names. `null` and empty objects are kept. */
export function keepNested(
  fields: Record<string, JsonValue | undefined>,
  object: JsonObject | undefined,
  origin: { readonly path: string; readonly known: ReadonlySet<string> },
): void {
  if (object === undefined) return
  let empty = true
  for (const key in object) {
    const value = object[key]
    empty = false
    const nothing = value === null || (isJsonArray(value) && value.length === 0)
    if (nothing || !origin.known.has(key)) fields[`${origin.path}.${key}`] = value
  }
  if (empty) fields[origin.path] = {}
}
