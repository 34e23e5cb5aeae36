/** Figures of exchanges of which the provider told none: marked as estimates. */
import { noUsage, type TokenUsage } from '../domain/usage.ts'
import { estimateInput, estimateTokens } from '../metering/index.ts'
import type { Exchange } from './exchange.ts'
import { meteredModel } from './limits/limit-request.ts'

/** Input tokens of the request, as the target that it went to would count them. */
export function estimatedInput(exchange: Exchange): number {
  const { json, body, target } = exchange
  if (target === null) return estimateTokens(body.length)
  return estimateInput({ json, bytes: body.length }, meteredModel(exchange, target))
}

/** @param outputBytes size of what was generated */
export function estimatedUsage(exchange: Exchange, outputBytes: number): TokenUsage {
  const outputTokens = estimateTokens(outputBytes)
  return { ...noUsage, inputTokens: estimatedInput(exchange), outputTokens, estimated: true }
}
