/** How far estimates were from the figures that providers gave, by model. */

/** A model as it is metered. */
export interface MeteredModel {
  /** Provider id. */
  readonly provider: string
  /** Model name at the provider. */
  readonly model: string
}

export interface TokenEstimateError extends MeteredModel {
  /** Exchanges that were compared. */
  readonly count: number
  /** Running mean of actual / estimated input tokens. */
  readonly ratio: number
  /** Running mean of |actual − estimated| / actual. */
  readonly meanError: number
}

/** Compare an estimate with the provider's figure; call it once per settled exchange with figures of the provider's own. */
export function observeInputTokens(
  _model: MeteredModel,
  _tokens: { estimated: number; actual: number },
): void {}

/** Figures of this thread, by model. */
export function tokenEstimateErrors(): readonly TokenEstimateError[] {
  return []
}
