/**
 * Text of `gatewright.yaml` → checked configuration, or problems with file, line, path and reason. A file with one
 * problem is refused whole. YAML aliases are bounded, duplicate keys and unknown keys refused.
 */
import type { Static, TSchema } from 'typebox'
import { Default } from 'typebox/value'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { ConfigError } from '../faults/config-error.ts'
import { findSchemaProblems } from './schema-problems.ts'

export interface ParsedDocument<T> {
  readonly value: T
  /** Line of a path such as `['models', 0, 'name']`, for problems found later. */
  readonly lineOf: (path: readonly (string | number)[]) => number
}

const maxFileBytes = 4_194_304
const maxProblems = 50

/** Parse and check `text` against `schema`. @throws ConfigError with every problem found */
export function parseConfigText<S extends TSchema>(
  text: string,
  file: string,
  schema: S,
): ParsedDocument<Static<S>> {
  if (text.length > maxFileBytes) {
    throw new ConfigError([{ file, line: 0, path: '', reason: `is larger than ${maxFileBytes} bytes` }])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const syntax = document.errors.map((error) => ({
    file,
    line: lines.linePos(error.pos[0]).line,
    path: '',
    reason: error.message,
  }))
  if (syntax.length > 0) throw new ConfigError(syntax.slice(0, maxProblems))
  const lineOf = (path: readonly (string | number)[]): number => lineOfPath(document, lines, path)
  const value = Default(schema, toPlain(document, file))
  const problems = findSchemaProblems(schema, value).map((problem) => ({
    file,
    line: lineOf(problem.path),
    path: joinPath(problem.path),
    reason: problem.reason,
  }))
  if (problems.length > 0) throw new ConfigError(problems.slice(0, maxProblems))
  return { value: value as Static<S>, lineOf }
}

function toPlain(document: Document.Parsed, file: string): unknown {
  try {
    // A copy through JSON: what an alias names is one object in memory, and defaults differ by place.
    return JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 100 }) ?? {})) as unknown
  } catch {
    throw new ConfigError([{ file, line: 0, path: '', reason: 'expands too many YAML aliases' }])
  }
}

export function joinPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((joined, token) => {
    if (typeof token === 'number') return `${joined}[${token}]`
    return joined === '' ? token : `${joined}.${token}`
  }, '')
}

/** The line of the node at `path`, or of its nearest parent that exists. */
function lineOfPath(
  document: Document.Parsed,
  lines: LineCounter,
  path: readonly (string | number)[],
): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}
