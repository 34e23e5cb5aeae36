/**
 * What is wrong with a value, in words for who wrote it: each problem once, at its most exact place. Of a union, the
 * form that the value comes nearest to is explained, not every form that it is not.
 */
import type { TSchema } from 'typebox'
import { Check, Errors } from 'typebox/value'

export interface SchemaProblem {
  readonly path: readonly (string | number)[]
  readonly kind: 'unknown-key' | 'missing-key' | 'invalid'
  readonly reason: string
}

type Path = SchemaProblem['path']
type Fields = Readonly<Record<string, unknown>>

/** The keywords that our schemas use. */
interface Node {
  readonly anyOf?: readonly TSchema[]
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly additionalProperties?: unknown
  readonly required?: readonly string[]
  readonly items?: TSchema
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly type?: string
  readonly examples?: readonly unknown[]
}

const nodeOf = (schema: TSchema): Node => schema as Node

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every problem; none where the value fits. */
export function findSchemaProblems(schema: TSchema, value: unknown, path: Path = []): SchemaProblem[] {
  if (Check(schema, value)) return []
  const node = nodeOf(schema)
  const found =
    node.anyOf !== undefined
      ? problemsOfUnion(node.anyOf, value, path)
      : node.properties !== undefined && isFields(value)
        ? problemsOfObject(node, value, path)
        : node.items !== undefined && Array.isArray(value)
          ? problemsOfItems(node.items, value, path)
          : []
  return found.length > 0 ? found : problemsOfLeaf(schema, value, path)
}

function problemsOfUnion(branches: readonly TSchema[], value: unknown, path: Path): SchemaProblem[] {
  if (typeof value === 'object' && value !== null) {
    const nearest = branches
      .map((branch) => ({ branch, nearness: nearnessOf(nodeOf(branch), value) }))
      .reduce((best, each) => (each.nearness > best.nearness ? each : best))
    if (nearest.nearness > 0) return findSchemaProblems(nearest.branch, value, path)
  }
  const forms = [...new Set(branches.flatMap(formsOf))]
  return [{ path, kind: 'invalid', reason: `must be ${joinForms(forms)}` }]
}

/** How many keys of an object a branch knows; 1 for a list that may be one. */
function nearnessOf({ properties, items }: Node, value: object): number {
  if (Array.isArray(value)) return items === undefined ? 0 : 1
  return Object.keys(value).filter((key) => properties !== undefined && key in properties).length
}

function formsOf(schema: TSchema): string[] {
  const node = nodeOf(schema)
  if (node.anyOf !== undefined) return node.anyOf.flatMap(formsOf)
  if ('const' in node) return [String(node.const)]
  if (node.enum !== undefined) return node.enum.map(String)
  if (node.properties !== undefined) return [`{ ${Object.keys(node.properties).join(', ')} }`]
  if (node.examples !== undefined) return [`text such as ${node.examples.join(' or ')}`]
  return node.type === undefined || node.type === 'null' ? ['null'] : [`a ${node.type}`]
}

function joinForms(forms: readonly string[]): string {
  const last = forms.at(-1) ?? ''
  return forms.length < 2 ? last : `${forms.slice(0, -1).join(', ')} or ${last}`
}

function problemsOfObject(node: Node, value: Fields, path: Path): SchemaProblem[] {
  const properties = node.properties ?? {}
  const known = new Map(Object.entries(properties))
  const found: SchemaProblem[] = []
  if (node.additionalProperties === false) {
    for (const key of Object.keys(value)) {
      if (known.has(key)) continue
      found.push({ path: [...path, key], kind: 'unknown-key', reason: 'is not a known key' })
    }
  }
  for (const key of node.required ?? []) {
    if (Object.hasOwn(value, key)) continue
    found.push({ path: [...path, key], kind: 'missing-key', reason: 'is missing' })
  }
  for (const [key, schema] of known) {
    if (Object.hasOwn(value, key)) found.push(...findSchemaProblems(schema, value[key], [...path, key]))
  }
  return found
}

function problemsOfItems(items: TSchema, value: readonly unknown[], path: Path): SchemaProblem[] {
  return value.flatMap((item, index) => findSchemaProblems(items, item, [...path, index]))
}

function problemsOfLeaf(schema: TSchema, value: unknown, path: Path): SchemaProblem[] {
  if (nodeOf(schema).enum !== undefined)
    return [{ path, kind: 'invalid', reason: `must be ${joinForms(formsOf(schema))}` }]
  // Records and tuples are left to the validator, which names the member.
  const found = new Map<string, SchemaProblem>()
  for (const { instancePath, message } of Errors(schema, value)) {
    if (found.has(instancePath)) continue
    const place = [...path, ...pathOf(instancePath)]
    found.set(instancePath, { path: place, kind: 'invalid', reason: message ?? 'is not valid' })
  }
  return [...found.values()]
}

/** JSON pointer (RFC 6901) → path. */
function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((token) => (/^\d+$/.test(token) ? Number(token) : token))
}
