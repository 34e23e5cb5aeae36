/**
 * Method and path → operation. Literal paths are one map look-up; paths with a parameter are tried in table order,
 * which is short. Query strings never take part.
 */
import { type Operation, operations } from '../domain/operations.ts'

export interface Match {
  readonly operation: Operation
  /** Decoded `{model}`, or empty. */
  readonly model: string
  /** Remainder for `{rest}`, as sent, or empty. */
  readonly rest: string
}

/** What the path has, where no operation takes the method. */
export interface MatchFailure {
  /** Methods that the path does take; empty: there is no such path. */
  readonly allow: readonly string[]
}

interface PatternRow {
  readonly operation: Operation
  readonly prefix: string
  readonly suffix: string
  readonly parameter: 'model' | 'rest'
}

/** Path → method → match: no string is made to look one up. */
const literals = new Map<string, Map<string, Match>>()
const patterns: PatternRow[] = []

for (const operation of operations) {
  for (const path of [operation.path, ...operation.otherPaths]) addPath(operation, path)
}

function addPath(operation: Operation, path: string): void {
  const brace = path.indexOf('{')
  if (brace < 0) {
    const methods = literals.get(path) ?? new Map<string, Match>()
    literals.set(path, methods.set(operation.method, Object.freeze({ operation, model: '', rest: '' })))
    return
  }
  const end = path.indexOf('}', brace)
  const parameter = path.slice(brace + 1, end) === 'model' ? 'model' : 'rest'
  patterns.push({ operation, prefix: path.slice(0, brace), suffix: path.slice(end + 1), parameter })
}

/** Find the operation of `method` and `path` (without query). */
export function matchOperation(method: string, path: string): Match | MatchFailure {
  const literal = literals.get(path)?.get(method)
  if (literal !== undefined) return literal
  for (const row of patterns) {
    if (row.operation.method !== method) continue
    const value = capture(row, path)
    if (value === null) continue
    return row.parameter === 'model'
      ? { operation: row.operation, model: value, rest: '' }
      : { operation: row.operation, model: '', rest: value }
  }
  return { allow: methodsOf(path) }
}

function capture(row: PatternRow, path: string): string | null {
  if (!path.startsWith(row.prefix) || !path.endsWith(row.suffix)) return null
  const raw = path.slice(row.prefix.length, path.length - row.suffix.length)
  if (raw === '' || path.length < row.prefix.length + row.suffix.length) return null
  return row.parameter === 'model' ? decodeSegment(raw) : safeRest(raw)
}

/** Percent-decoding of a model name; `models/` prefixes and encoded slashes are fine, control characters are not. */
function decodeSegment(raw: string): string | null {
  try {
    const decoded = decodeURIComponent(raw)
    return /^[\x21-\x7e]{1,200}$/.test(decoded) ? decoded : null
  } catch {
    return null
  }
}

/**
 * A remainder goes into an upstream path: ids and sub-resources only. No dots as segments, no percent signs, so
 * that no decoding on the way can make another path of it.
 */
function safeRest(raw: string): string | null {
  return /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}){0,3}$/.test(raw)
    ? raw
    : null
}

function methodsOf(path: string): readonly string[] {
  const methods = new Set<string>()
  for (const operation of operations) {
    if (operation.path === path || operation.otherPaths.includes(path)) methods.add(operation.method)
  }
  for (const row of patterns) {
    if (capture(row, path) !== null) methods.add(row.operation.method)
  }
  return [...methods]
}
