/**
 * Moves schemas that have a title to `components/schemas`, where each stands once, and leaves references. Two
 * schemas of one title must be equal but for their description; otherwise the document would say something untrue.
 */
import { isDeepStrictEqual } from 'node:util'

type Node = Readonly<Record<string, unknown>>

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws TypeError where two different schemas share a title */
export function nameSchemas(document: object): object {
  const schemas = new Map<string, Node>()
  const reference = (node: Node, title: string): Node => {
    const { description: _, ...schema } = node
    const known = schemas.get(title)
    if (known !== undefined && !isDeepStrictEqual(known, schema)) {
      throw new TypeError(`two different schemas are named ${title}`)
    }
    schemas.set(title, schema)
    return { $ref: `#/components/schemas/${title}` }
  }
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (!isNode(value)) return value
    const node = Object.fromEntries(Object.entries(value).map(([name, child]) => [name, visit(child)]))
    const { title, type } = node
    return typeof title === 'string' && type === 'object' ? reference(node, title) : node
  }
  const visited = visit(document) as Node
  const components = isNode(visited['components']) ? visited['components'] : {}
  const sorted = [...schemas].sort(([left], [right]) => (left < right ? -1 : 1))
  return { ...visited, components: { ...components, schemas: Object.fromEntries(sorted) } }
}
