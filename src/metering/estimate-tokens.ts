/**
 * Token estimates where a provider gives no figures. One token per four bytes of UTF-8: the common rule of four
 * characters a token for English, and near the measured ratios of current vocabularies for two- and three-byte
 * scripts (about half a token a Cyrillic letter, three quarters a Chinese character). Always marked as an estimate.
 */

import type { MeteredModel } from './token-calibration.ts'

const bytesPerToken = 4

/** Estimated tokens of a text, or of a text of so many bytes. At least 1 unless empty. */
export function estimateTokens(text: string | number, _model?: MeteredModel): number {
  const bytes = typeof text === 'number' ? text : Buffer.byteLength(text)
  return Math.ceil(Math.max(0, bytes) / bytesPerToken)
}
