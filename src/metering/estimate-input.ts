/**
 * Tokens of a request's input, before it is sent: for reservations. Always an estimate; the provider's figures settle.
 */
import type { JsonObject } from '../domain/json.ts'
import { estimateTokens } from './estimate-tokens.ts'
import type { MeteredModel } from './token-calibration.ts'

export interface InputBody {
  /** The parsed body; null where there is none, or it is no JSON. */
  readonly json: JsonObject | null
  readonly bytes: number
}

/** Estimated input tokens of a request body for a model. At least 1 unless the body is empty. */
export function estimateInput({ bytes }: InputBody, model: MeteredModel): number {
  return estimateTokens(bytes, model)
}
