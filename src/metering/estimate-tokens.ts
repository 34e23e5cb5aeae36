/**
 * Token estimates where a provider gives no figures; always marked as estimates. A text is estimated by its model's
 * rule (`token-rules.ts`). Of bytes only their number counts, because they are counted while streams pass: one token
 * per four bytes of UTF-8, the common rule of four characters a token for English, and near the measured ratios of
 * current vocabularies for two- and three-byte scripts (half a token a Cyrillic letter, three quarters a Chinese one).
 */
import { estimateTexts } from './estimate-texts.ts'
import { correctionOf, type MeteredModel } from './token-calibration.ts'
import { findTokenRule, unknownModelRule } from './token-rules.ts'

const bytesPerToken = 4

/** Estimated tokens of a text, or of so many bytes. At least 1 unless empty. */
export function estimateTokens(text: string | number, model?: MeteredModel): number {
  if (typeof text === 'number') return Math.ceil(Math.max(0, text) / bytesPerToken)
  if (model === undefined) return Math.ceil(estimateTexts([text], unknownModelRule))
  const rule = findTokenRule(model)
  const tokens = estimateTexts([text], rule)
  return Math.ceil(rule.exact ? tokens : tokens * correctionOf(model))
}
