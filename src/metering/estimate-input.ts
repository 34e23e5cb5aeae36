/**
 * Tokens of a request's input, before it is sent: for reservations. Always an estimate; the provider's figures settle.
 * Time is bounded whatever the body holds: see `estimate-texts.ts` for texts; the rest is one walk over the parsed body.
 */
import type { JsonObject } from '../domain/json.ts'
import { type CollectedInput, collectInput } from './collect-input.ts'
import { estimateMeasured, measureTexts, type TextMeasure } from './estimate-texts.ts'
import { estimateTokens } from './estimate-tokens.ts'
import { correctionOf, type MeteredModel } from './token-calibration.ts'
import { findTokenRule, type RequestOverheads, type TokenRule } from './token-rules.ts'

export interface InputBody {
  /** The parsed body; null where there is none, or it is no JSON. */
  readonly json: JsonObject | null
  readonly bytes: number
  /** Where another thread has looked at the body already. */
  readonly measure?: InputMeasure | null
}

/** What an estimate needs to know of a body, whatever the model: a few kilobytes, whatever its size. */
export interface InputMeasure extends Omit<CollectedInput, 'texts' | 'schemas'> {
  readonly texts: TextMeasure
  readonly schemas: TextMeasure
}

export function measureInput(json: JsonObject): InputMeasure {
  const { texts, schemas, ...counts } = collectInput(json)
  return { ...counts, texts: measureTexts(texts), schemas: measureTexts(schemas) }
}

/** Estimated input tokens of a request body, in any dialect, for a model. Bodies that are no JSON go by their size. */
export function estimateInput({ json, bytes, measure }: InputBody, model: MeteredModel): number {
  if (json === null) return estimateTokens(bytes)
  const rule = findTokenRule(model)
  const measured = measure ?? measureInput(json)
  const tokens = tokensOfTexts(measured, rule) + overheadsOf(measured, rule.overheads)
  return Math.ceil(rule.exact ? tokens : tokens * correctionOf(model))
}

function tokensOfTexts({ texts, schemas }: InputMeasure, rule: TokenRule): number {
  const plain = estimateMeasured(texts, rule)
  return schemas.chars === 0 ? plain : plain + estimateMeasured(schemas, rule) * rule.overheads.schemaShare
}

function overheadsOf(input: InputMeasure, overheads: RequestOverheads): number {
  return (
    overheads.request +
    input.numbers +
    input.messages * overheads.message +
    (input.schemas.chars > 0 ? overheads.toolset : 0) +
    input.images * overheads.image +
    input.lowImages * overheads.imageLow +
    input.audioSeconds * overheads.audioSecond +
    input.videoSeconds * overheads.videoSecond +
    input.pages * overheads.page
  )
}
