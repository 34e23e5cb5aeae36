/**
 * How long an answer a model certainly can write, reasoning included: for caps that are set on a caller's behalf. Far
 * more than answers commonly have, and never more than the model takes, because providers refuse a cap beyond that.
 * From the vendors' model pages (November 2026). The first row whose text stands in the model's name counts.
 */
const rows: readonly (readonly [part: string, tokens: number])[] = [
  ['gpt-4o-2024-05-13', 4096],
  ['gpt-4o', 16_384],
  ['gpt-4.1', 32_768],
  ['gpt-5', 32_768],
  ['gpt-6', 32_768],
  ['claude-3-7', 32_000],
  ['claude-3-5', 8192],
  ['claude-3', 4096],
  ['claude-', 32_000],
  ['gemini-1', 8192],
  ['gemini-2.0', 8192],
  ['gemini-', 32_768],
  ['deepseek', 8192],
]
/** The reasoning models of OpenAI, by their whole first syllable: `o` and a figure stand in other names, too. */
const reasoning = /(?:^|[/.])o[134](?:-|$)/
const reasoningTokens = 32_768
const unknownTokens = 4096

/** Tokens of one answer of `model`. */
export function ampleAnswer(model: string): number {
  for (const [part, tokens] of rows) if (model.includes(part)) return tokens
  return reasoning.test(model) ? reasoningTokens : unknownTokens
}
