// Writes the JSON Schema of gatewright.yaml for editors, and docs/reference/configuration.md, from src/config/schema.ts.

import { configSchema, startOnlyPaths } from '../src/config/index.ts'
import { writeGenerated } from './write-generated.ts'

interface Schema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly anyOf?: readonly Schema[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly required?: readonly string[]
}

const schema = JSON.parse(JSON.stringify(configSchema)) as Schema

/** Sections have defaults, so nothing is required of a file. */
function withoutDefaultedRequirements(node: Schema): Schema {
  const properties = Object.fromEntries(
    Object.entries(node.properties ?? {}).map(([key, child]) => [key, withoutDefaultedRequirements(child)]),
  )
  const required = (node.required ?? []).filter((key) => properties[key]?.default === undefined)
  const { required: _dropped, ...rest } = node
  return {
    ...rest,
    ...(node.properties === undefined ? {} : { properties }),
    ...(node.items === undefined ? {} : { items: withoutDefaultedRequirements(node.items) }),
    ...(required.length === 0 ? {} : { required }),
  }
}

const published = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...withoutDefaultedRequirements(schema),
}
writeGenerated('docs/reference/gatewright.schema.json', `${JSON.stringify(published, null, 2)}\n`)

function typeOf(node: Schema): string {
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(', ')
  if (node.const !== undefined) return `\`${String(node.const)}\``
  if (node.enum !== undefined) return node.enum.map((each) => `\`${String(each)}\``).join(', ')
  if (node.type === 'array') return `list of ${listedType(node.items)}`
  if (node.properties !== undefined) return `\`{ ${Object.keys(node.properties).join(', ')} }\``
  const from = node.minimum === undefined ? '' : ` ≥ ${node.minimum}`
  const to = node.maximum === undefined || node.maximum >= 2 ** 40 ? '' : ` ≤ ${node.maximum}`
  return `${node.type ?? ''}${from}${to}`
}

/** Members that are objects are described in rows of their own. */
function listedType(items: Schema | undefined): string {
  if (items === undefined) return 'values'
  return items.properties === undefined ? typeOf(items) : 'object'
}

function rowsOf(node: Schema, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    if (key === '$schema') return []
    const path = prefix === '' ? key : `${prefix}.${key}`
    if (child.type === 'object' && child.properties !== undefined) {
      return [`| **\`${path}\`** | | | ${child.description ?? ''} |`, ...rowsOf(child, path)]
    }
    const fallback = child.default === undefined ? '' : `\`${JSON.stringify(child.default)}\``
    const row = `| \`${path}\` | ${typeOf(child)} | ${fallback} | ${child.description ?? ''} |`
    const members = child.items?.properties === undefined ? [] : rowsOf(child.items, `${path}[]`)
    return [row, ...members]
  })
}

writeGenerated(
  'docs/reference/configuration.md',
  [
    '<!-- Generated from src/config/schema.ts by npm run generate. -->',
    '# gatewright.yaml',
    '',
    'Everything has a default: an empty file, or none, is a valid configuration. Unknown keys are refused. The file is',
    'checked whole: one mistake, and all of it is refused with file, line, path and reason, while the running',
    'configuration stays. `npm start -- --check` checks without starting; SIGHUP or a change of the file loads it again.',
    `Read at the start only: ${startOnlyPaths.map((path) => `\`${path}\``).join(', ')}. A reload that finds one of them`,
    'changed says so in the process log; until the next start the running one stays.',
    '',
    'For completion in editors, begin the file with',
    '`# yaml-language-server: $schema=docs/reference/gatewright.schema.json`.',
    '',
    'Secrets are references, `env:NAME` or `file:/path`; a secret written into the file is refused. The path of the',
    'file comes from `--config` or `GATEWRIGHT_CONFIG`; `GATEWRIGHT_DATA_DIR` or `--data-dir` go before `dataDir`.',
    '',
    '| key | type | default | |',
    '|---|---|---|---|',
    ...rowsOf(schema, ''),
    '',
  ].join('\n'),
)
