/**
 * Metering: what an exchange consumed and what it costs. Figures come from the provider where it tells them; estimates
 * are marked. Prices are data.
 */
export { ampleAnswer } from './answer-lengths.ts'
export { estimateInput, type InputMeasure, measureInput } from './estimate-input.ts'
export { estimateTokens } from './estimate-tokens.ts'
export { plausibleUsage } from './plausible-usage.ts'
export { compilePrices, costAtMost, costMicroUsd, type PriceBook } from './price-book.ts'
export { defaultPrices } from './prices.ts'
export { observeInputBytes, roughInput } from './rough-input.ts'
export {
  type MeteredModel,
  observeInputTokens,
  type TokenEstimateError,
  tokenEstimateErrors,
} from './token-calibration.ts'
export { loadTokenizer } from './token-rules.ts'
export { usageFromBody } from './usage-from-body.ts'
export { createUsageTap } from './usage-tap.ts'
