/**
 * One valid instance of a JSON Schema, always the same for the same schema and hints. Covers what providers accept for
 * tools and structured output: types, enum, const, properties, items, prefixItems, anyOf, oneOf, allOf, local `$ref`,
 * numeric and length bounds, common formats. `pattern` is not generated from.
 * Bounds: 24 levels, 4,096 values; beyond them the smallest value of the type stands in.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts'

export interface InstanceOptions {
  /** Text for a string property of this name, or undefined. */
  readonly hint?: (property: string) => string | undefined
}

const maxDepth = 24
const maxValues = 4096
const maxListItems = 64

interface Walk {
  readonly root: JsonObject
  readonly hint: (property: string) => string | undefined
  values: number
}

const formats: ReadonlyMap<string, string> = new Map([
  ['date-time', '2026-01-01T00:00:00Z'],
  ['date', '2026-01-01'],
  ['time', '00:00:00Z'],
  ['duration', 'P1D'],
  ['email', 'sandbox@example.com'],
  ['hostname', 'example.com'],
  ['ipv4', '192.0.2.1'],
  ['ipv6', '2001:db8::1'],
  ['uri', 'https://example.com/'],
  ['uuid', '00000000-0000-4000-8000-000000000000'],
])

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function makeString(walk: Walk, schema: JsonObject, property: string): string {
  const format = typeof schema['format'] === 'string' ? formats.get(schema['format']) : undefined
  if (format !== undefined) return format
  const shortest = Math.min(Math.max(numberOf(schema['minLength']) ?? 0, 0), 10_000)
  const longest = Math.max(numberOf(schema['maxLength']) ?? 10_000, 0)
  const text = walk.hint(property) ?? 'sandbox'
  return Array.from(text.padEnd(shortest, '.')).slice(0, longest).join('')
}

function makeNumber(schema: JsonObject, integer: boolean): number {
  const above = numberOf(schema['exclusiveMinimum'])
  const below = numberOf(schema['exclusiveMaximum'])
  const low = Math.max(numberOf(schema['minimum']) ?? -Infinity, above ?? -Infinity)
  const high = Math.min(numberOf(schema['maximum']) ?? Infinity, below ?? Infinity)
  const step = numberOf(schema['multipleOf']) ?? (integer ? 1 : undefined)
  const allowed = (value: number): boolean =>
    value >= low &&
    value <= high &&
    value !== above &&
    value !== below &&
    (!integer || Number.isInteger(value))
  if (step !== undefined && step > 0) {
    const first = low === -Infinity ? 0 : Math.ceil(low / step) * step
    const found = [step, 0, first, first + step, Math.floor(high / step) * step].find(allowed)
    if (found !== undefined) return found
  }
  const middle = low > -Infinity && high < Infinity ? (low + high) / 2 : 0
  return [1, 0, low, high, low + 1, high - 1, middle].find(allowed) ?? 0
}

function resolveReference(walk: Walk, schema: JsonObject): JsonObject {
  let current = schema
  for (let hops = 0; typeof current['$ref'] === 'string' && hops < maxDepth; hops += 1) {
    const reference = current['$ref']
    if (!reference.startsWith('#')) return {}
    let target: JsonValue | undefined = walk.root
    for (const raw of reference.slice(1).split('/').slice(1)) {
      const key = raw.replaceAll('~1', '/').replaceAll('~0', '~')
      target = isJsonObject(target) && Object.hasOwn(target, key) ? target[key] : undefined
    }
    if (!isJsonObject(target)) return {}
    const { $ref: _followed, ...beside } = current
    current = { ...target, ...beside }
  }
  return current
}

function mergeAll(walk: Walk, schema: JsonObject): JsonObject {
  const parts = schema['allOf']
  if (!Array.isArray(parts)) return schema
  let merged: JsonObject = { ...schema, allOf: undefined }
  for (const part of parts.slice(0, maxListItems)) {
    if (!isJsonObject(part)) continue
    const next = resolveReference(walk, part)
    const required = [merged['required'], next['required']].flatMap((list) =>
      Array.isArray(list) ? list : [],
    )
    const properties = { ...asObject(merged['properties']), ...asObject(next['properties']) }
    merged = { ...merged, ...next, properties, required }
  }
  return merged
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** The last of several types is never `null` where another is allowed. */
function typeOf(schema: JsonObject): string {
  const type = schema['type']
  const listed = Array.isArray(type) ? (type.find((name) => name !== 'null') ?? 'null') : type
  if (typeof listed === 'string') return listed.toLowerCase()
  if (schema['properties'] !== undefined) return 'object'
  if (schema['items'] !== undefined || schema['prefixItems'] !== undefined) return 'array'
  return 'string'
}

interface Place {
  readonly depth: number
  readonly property: string
}

function makeArray(walk: Walk, schema: JsonObject, place: Place): JsonValue {
  const next = { depth: place.depth + 1, property: place.property }
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : []
  const least = Math.min(numberOf(schema['minItems']) ?? 0, maxListItems)
  const most = numberOf(schema['maxItems']) ?? maxListItems
  const wanted = Math.min(Math.max(least, prefix.length, place.depth < 8 ? 1 : 0), most)
  const items = schema['items']
  if (items === false && prefix.length < wanted) return prefix.map((item) => make(walk, asObject(item), next))
  return Array.from({ length: wanted }, (_unused, index) => {
    const value = make(walk, asObject(prefix[index] ?? items), next)
    // Distinct where the schema asks for it: text can be numbered, numbers counted up.
    if (schema['uniqueItems'] !== true || index === 0) return value
    return typeof value === 'string' ? `${value}${index}` : typeof value === 'number' ? value + index : value
  })
}

function makeObject(walk: Walk, schema: JsonObject, depth: number): JsonValue {
  const properties = asObject(schema['properties'])
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
  const result: [string, JsonValue][] = []
  const names = new Set([...Object.keys(properties), ...required])
  for (const name of names) {
    if (typeof name !== 'string') continue
    // Optional parts of deep or recursive schemas are left out, so that recursion ends.
    if (!required.has(name) && (depth > 4 || walk.values > maxValues / 4)) continue
    result.push([name, make(walk, asObject(properties[name]), { depth: depth + 1, property: name })])
  }
  return Object.fromEntries(result)
}

/** Prefers a branch that is not `null`, and below the sixth level the one with the least inside. */
function pickBranch(schema: JsonObject, depth: number): JsonObject | undefined {
  const found = schema['anyOf'] ?? schema['oneOf']
  if (!Array.isArray(found)) return undefined
  const branches = found.filter(isJsonObject)
  const useful = branches.find((branch) => branch['type'] !== 'null')
  const picked = depth > 6 ? (branches.find((branch) => branch['type'] === 'null') ?? useful) : useful
  return picked ?? branches[0]
}

function make(walk: Walk, input: JsonObject, place: Place): JsonValue {
  walk.values += 1
  if (place.depth > maxDepth || walk.values > maxValues) return null
  const schema = mergeAll(walk, resolveReference(walk, input))
  if (schema['const'] !== undefined) return schema['const']
  const options = schema['enum']
  if (Array.isArray(options) && options.length > 0) return options[0] ?? null
  const branch = pickBranch(schema, place.depth)
  if (branch !== undefined) {
    const { anyOf: _any, oneOf: _one, ...rest } = schema
    return make(walk, { ...rest, ...branch }, { ...place, depth: place.depth + 1 })
  }
  switch (typeOf(schema)) {
    case 'object':
      return makeObject(walk, schema, place.depth)
    case 'array':
      return makeArray(walk, schema, place)
    case 'integer':
      return makeNumber(schema, true)
    case 'number':
      return makeNumber(schema, false)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return makeString(walk, schema, place.property)
  }
}

/** A valid instance of `schema`. Never throws. */
export function makeInstance(schema: JsonObject, options: InstanceOptions = {}): JsonValue {
  const walk: Walk = { root: schema, hint: options.hint ?? (() => undefined), values: 0 }
  return make(walk, schema, { depth: 0, property: '' })
}
