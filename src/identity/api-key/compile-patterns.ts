/** Name patterns of models and operations: exact, a prefix before one trailing `*`, or `*`. No regular expressions. */

export const maxPatterns = 1000

export type PatternMatcher = (name: string) => boolean

/** True for a non-empty pattern whose only `*`, if any, stands at its end. */
export function isPattern(text: string): boolean {
  const star = text.indexOf('*')
  return text.length > 0 && (star < 0 || star === text.length - 1)
}

/** Whether some name fits both patterns. */
export function patternsMeet(a: string, b: string): boolean {
  const [prefixOfA, prefixOfB] = [a, b].map((each) => (each.endsWith('*') ? each.slice(0, -1) : null))
  if (prefixOfA == null) return prefixOfB == null ? a === b : a.startsWith(prefixOfB)
  if (prefixOfB == null) return b.startsWith(prefixOfA)
  return prefixOfA.startsWith(prefixOfB) || prefixOfB.startsWith(prefixOfA)
}

const everything: PatternMatcher = () => true
const nothing: PatternMatcher = () => false

/** Null admits every name; an empty list none. Throws RangeError for a malformed or overlong list. */
export function compilePatterns(patterns: readonly string[] | null): PatternMatcher {
  if (patterns === null || patterns.includes('*')) return everything
  if (patterns.length === 0) return nothing
  if (patterns.length > maxPatterns) throw new RangeError(`at most ${maxPatterns} patterns`)
  if (!patterns.every(isPattern)) throw new RangeError('a pattern is malformed')
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  if (prefixes.length === 0) return (name) => exact.has(name)
  return (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix))
}
