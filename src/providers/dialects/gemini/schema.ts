/**
 * Gemini's `Schema` (a subset of OpenAPI 3.0, types in capitals) → JSON Schema, for providers that take the latter.
 * The way back is not needed: the original travels in `native`, and other dialects' schemas are sent as
 * `parametersJsonSchema` and `responseJsonSchema`.
 * Bound: `maxDepth` levels.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { expectObject, invalidField, isJsonArray } from '../../reading.ts'
import { camelCased } from './fields.ts'

const maxDepth = 64

/** Counts are int64 in the protocol, which JSON carries as text. */
const counts: ReadonlySet<string> = new Set([
  'maxItems',
  'minItems',
  'maxLength',
  'minLength',
  'maxProperties',
  'minProperties',
])

export function jsonSchemaOf(schema: JsonObject, at: string, depth = 0): JsonObject {
  if (depth > maxDepth) throw invalidField(at, `it nests deeper than ${maxDepth} levels`)
  const source = camelCased(schema, at)
  const out = Object.create(null) as Record<string, JsonValue | undefined>
  for (const key in source) {
    const value = source[key]
    if (key === 'nullable' || key === 'propertyOrdering' || value === null) continue
    out[key] = convert(key, value, { at: `${at}.${key}`, depth: depth + 1 })
  }
  if (out['type'] === undefined) delete out['type']
  else if (source['nullable'] === true) out['type'] = [out['type'], 'null']
  return out
}

interface Place {
  readonly at: string
  readonly depth: number
}

function convert(key: string, value: JsonValue | undefined, place: Place): JsonValue | undefined {
  if (key === 'type' && typeof value === 'string') {
    return value === 'TYPE_UNSPECIFIED' ? undefined : value.toLowerCase()
  }
  if (counts.has(key) && typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value)
  if (key === 'properties' && isJsonObject(value)) return properties(value, place)
  if ((key === 'anyOf' || key === 'prefixItems') && isJsonArray(value)) {
    return value.map((one, index) => {
      const at = `${place.at}[${index}]`
      return jsonSchemaOf(expectObject(one, at), at, place.depth)
    })
  }
  if ((key === 'items' || key === 'additionalProperties') && isJsonObject(value)) {
    return jsonSchemaOf(value, place.at, place.depth)
  }
  return value
}

function properties(value: JsonObject, place: Place): JsonObject {
  const out = Object.create(null) as Record<string, JsonValue>
  for (const name in value) {
    const at = `${place.at}.${name}`
    out[name] = jsonSchemaOf(expectObject(value[name], at), at, place.depth)
  }
  return out
}
