/** Figures of exchanges of which the provider told none: marked as estimates. */
import { noUsage, type TokenUsage } from '../domain/usage.ts'
import { estimateInput, estimateTokens } from '../metering/index.ts'
import type { Exchange } from './exchange.ts'
import { outputCapOf } from './limits/output-cap.ts'
import type { OutputExpectations } from './limits/output-expectations.ts'
import { meteredModel, publicModel } from './metered-model.ts'
import type { CompiledTarget } from './snapshot.ts'

/** Input tokens of the request, as the target that it went to would count them. */
export function estimatedInput(exchange: Exchange, target = exchange.target): number {
  const { json, facts, body } = exchange
  if (target === null) return estimateTokens(body.length)
  return estimateInput(
    { json, bytes: body.length, measure: facts?.input ?? null },
    meteredModel(exchange, target),
  )
}

/** @param outputBytes size of what was generated */
export function estimatedUsage(exchange: Exchange, outputBytes: number): TokenUsage {
  const outputTokens = estimateTokens(outputBytes)
  return { ...noUsage, inputTokens: estimatedInput(exchange), outputTokens, estimated: true }
}

/** Most tokens that the answers of a request may have: its own cap, the one set for a budget's sake, or what is expected. */
export function largestOutput(exchange: Exchange, outputs: OutputExpectations): number {
  const { operation, json, facts, key, limits } = exchange
  if (operation === null || json === null) return 0
  const { perAnswer, answers } = facts?.cap ?? outputCapOf(operation, json)
  const cap = perAnswer ?? limits?.request.outputCap ?? null
  return (cap ?? outputs.of(key?.organizationId ?? '', publicModel(exchange)).expected) * answers
}

/**
 * What a call that was sent may have come to although nothing of its answer was seen. Providers end a stream when
 * nobody reads it any more, but finish and charge an answer that is sent whole or written in the background: of these
 * counts all that they may have. Uploads and what costs nothing count nothing.
 */
export function unseenUsage(
  exchange: Exchange,
  target: CompiledTarget,
  outputs: OutputExpectations,
): TokenUsage {
  const { operation, route, json, stream } = exchange
  if (operation === null || operation.isFree || route === null || json === null) return noUsage
  const inputTokens = estimatedInput(exchange, target)
  const isFinished = !stream || json['background'] === true
  const outputTokens = isFinished ? largestOutput(exchange, outputs) : 0
  return { ...noUsage, inputTokens, outputTokens, estimated: true }
}
