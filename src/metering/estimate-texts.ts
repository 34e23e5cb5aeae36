/**
 * Tokens of texts under a rule. Up to `exactChars` characters are counted; of more, evenly spread windows are, and the
 * whole is taken to hold as many tokens for the expectation of its scripts as the windows do. Of more than `scannedChars`
 * characters, some at even distances stand for the others when scripts are counted.
 *
 * Measured on one core of the development machine: 0.2 to 2 ms for 8,192 characters of any text, 1 ms more for
 * a megabyte (`bench/micro/estimate-input.ts`).
 */
import { countScripts, expectedTokens, expectedTokensBy, noScripts, type ScriptCounts } from './scripts.ts'
import { TokenCounter } from './token-counter.ts'
import type { TokenRule } from './token-rules.ts'
import { type VocabularyName, vocabularyAtHand } from './vocabulary.ts'

export const exactChars = 8192
const windowChars = 512
const scannedChars = 250_000

const counters = new Map<VocabularyName, TokenCounter>()

function counterAtHand(name: VocabularyName): TokenCounter | null {
  const known = counters.get(name)
  if (known !== undefined) return known
  const vocabulary = vocabularyAtHand(name)
  if (vocabulary === null) return null
  const counter = new TokenCounter(vocabulary)
  counters.set(name, counter)
  return counter
}

/** What an estimate needs to know of texts, whatever the model: a few kilobytes, whatever their size. */
export interface TextMeasure {
  readonly chars: number
  readonly scripts: ScriptCounts
  /** The texts themselves up to `exactChars` characters, else windows of them. */
  readonly sample: readonly string[]
}

export function measureTexts(texts: readonly string[]): TextMeasure {
  const chars = texts.reduce((sum, text) => sum + text.length, 0)
  const sample = chars <= exactChars ? texts.filter((text) => text !== '') : takeWindows(texts, chars)
  return { chars, scripts: scriptsOf(texts, chars), sample }
}

/** Estimated tokens of all texts together, not rounded. */
export function estimateTexts(texts: readonly string[], rule: TokenRule): number {
  return estimateMeasured(measureTexts(texts), rule)
}

/** Estimated tokens of texts that were measured, not rounded. */
export function estimateMeasured({ chars, scripts: whole, sample }: TextMeasure, rule: TokenRule): number {
  if (chars === 0) return 0
  const counter = counterAtHand(rule.vocabulary)
  if (counter === null) return expectedTokensBy(whole, rule.ratios)
  const counted = sample.reduce((sum, text) => sum + counter.count(text), 0)
  const sampled =
    chars <= exactChars
      ? counted
      : (counted * expectedTokens(whole)) / expectedTokens(scriptsOf(sample, exactChars))
  return rule.exact ? sampled : (sampled * expectedTokensBy(whole, rule.ratios)) / expectedTokens(whole)
}

/** Characters by script; estimated where they are too many. */
function scriptsOf(texts: readonly string[], chars: number): ScriptCounts {
  const counts = noScripts()
  // Odd, so that the two halves of characters beyond the Basic Multilingual Plane are met alike.
  const step = Math.ceil(chars / scannedChars) | 1
  for (const text of texts) countScripts(text, counts, step)
  if (step === 1) return counts
  const met = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => (count * chars) / met)
}

/** Windows that begin at even distances in the texts laid end to end; each ends with its text at the latest. */
function takeWindows(texts: readonly string[], chars: number): readonly string[] {
  const distance = (chars * windowChars) / exactChars
  const windows: string[] = []
  let passed = 0
  for (const text of texts) {
    const end = passed + text.length
    for (let at = Math.ceil(passed / distance) * distance; at < end; at += distance) {
      const from = Math.floor(at - passed)
      windows.push(text.slice(from, from + windowChars))
    }
    passed = end
  }
  return windows
}
