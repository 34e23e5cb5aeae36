/**
 * Figures as they may be summed: whole numbers up to a bound. A provider that lies or errs must not be able to spoil
 * the sums of a whole organization (1e300 tokens), or make them unreadable (beyond 2^53 in the database).
 */
import type { TokenUsage } from '../domain/usage.ts'

/** Tokens of one exchange; the largest context windows hold about a hundredth of it. */
export const maxTokens = 1_000_000_000

const figures = [
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
] as const satisfies readonly (keyof TokenUsage)[]

/** The same object where nothing has to be changed; what was cut is marked as an estimate. */
export function plausibleUsage(usage: TokenUsage): TokenUsage {
  if (figures.every((figure) => isPlausible(usage[figure]))) return usage
  const cut: { -readonly [Key in keyof TokenUsage]: TokenUsage[Key] } = { ...usage, estimated: true }
  for (const figure of figures) {
    const value = Math.trunc(usage[figure])
    cut[figure] = value > 0 ? Math.min(value, maxTokens) : 0
  }
  return cut
}

function isPlausible(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= maxTokens
}
