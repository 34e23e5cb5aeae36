/**
 * Tokens of a request's input, before it is sent: for reservations. Always an estimate; the provider's figures settle.
 * Time is bounded whatever the body holds: see `estimate-texts.ts` for texts; the rest is one walk over the parsed body.
 */
import type { JsonObject } from '../domain/json.ts'
import { type CollectedInput, collectInput } from './collect-input.ts'
import { estimateTexts } from './estimate-texts.ts'
import { estimateTokens } from './estimate-tokens.ts'
import { correctionOf, type MeteredModel } from './token-calibration.ts'
import { findTokenRule, type RequestOverheads, type TokenRule } from './token-rules.ts'

export interface InputBody {
  /** The parsed body; null where there is none, or it is no JSON. */
  readonly json: JsonObject | null
  readonly bytes: number
}

/** Estimated input tokens of a request body, in any dialect, for a model. Bodies that are no JSON go by their size. */
export function estimateInput({ json, bytes }: InputBody, model: MeteredModel): number {
  if (json === null) return estimateTokens(bytes)
  const rule = findTokenRule(model)
  const collected = collectInput(json)
  const tokens = tokensOfTexts(collected, rule) + overheadsOf(collected, rule.overheads)
  return Math.ceil(rule.exact ? tokens : tokens * correctionOf(model))
}

function tokensOfTexts({ texts, schemas }: CollectedInput, rule: TokenRule): number {
  const plain = estimateTexts(texts, rule)
  return schemas.length === 0 ? plain : plain + estimateTexts(schemas, rule) * rule.overheads.schemaShare
}

function overheadsOf(input: CollectedInput, overheads: RequestOverheads): number {
  return (
    overheads.request +
    input.numbers +
    input.messages * overheads.message +
    (input.schemas.length > 0 ? overheads.toolset : 0) +
    input.images * overheads.image +
    input.lowImages * overheads.imageLow +
    input.audioSeconds * overheads.audioSecond +
    input.videoSeconds * overheads.videoSecond +
    input.pages * overheads.page
  )
}
