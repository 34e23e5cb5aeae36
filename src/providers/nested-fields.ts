/** Request objects that the canonical form takes apart, and what is left of them on the way back to their dialect. */
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts'
import { isJsonArray } from './reading.ts'

/**
 * Leftovers of nested objects are kept under dotted names (`generationConfig.speechConfig`), so that faults and
 * the table of droppable fields can name them one by one. This puts them back into `body`;
 * `nestedPaths` are the objects that are taken apart, inner ones first.
 */
export function restoreNested(
  body: Record<string, JsonValue | undefined>,
  fields: JsonObject,
  nestedPaths: readonly string[],
): void {
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
  const inner = Object.hasOwn(target, key) ? target[key] : undefined
  if (rest.length === 0) {
    setField(target, key, inner ?? value)
    return
  }
  const copy = isJsonObject(inner) ? { ...inner } : {}
  setPath(copy, rest, value)
  setField(target, key, copy)
}

/** A field named `__proto__` stays a field. */
function setField(target: object, key: string, value: JsonValue | undefined): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
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
