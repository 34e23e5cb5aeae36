/**
 * Usage figures. Anthropic counts cached and cache-writing tokens beside `input_tokens`, the canonical form within
 * them. On a stream the input figures come with `message_start`, the cumulative output figure with `message_delta`.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { noUsage, type TokenUsage } from '../../../domain/usage.ts'
import { countOr } from '../../reading.ts'
import { restoreFigures } from '../../usage-figures.ts'

/** A `usage` object → canonical; figures that are absent are taken from `before` (a stream's earlier event). */
export function fromUsage(usage: JsonObject, before: TokenUsage = noUsage): TokenUsage {
  const cached = countOr(usage['cache_read_input_tokens'], before.cachedInputTokens)
  const written = countOr(usage['cache_creation_input_tokens'], before.cacheWriteTokens)
  const uncachedBefore = before.inputTokens - before.cachedInputTokens - before.cacheWriteTokens
  const details = usage['output_tokens_details']
  const thinking = isJsonObject(details) ? details['thinking_tokens'] : undefined
  return {
    inputTokens: countOr(usage['input_tokens'], uncachedBefore) + cached + written,
    outputTokens: countOr(usage['output_tokens'], before.outputTokens),
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    reasoningTokens: countOr(thinking, before.reasoningTokens),
    estimated: false,
  }
}

/** Canonical → a `usage` object. */
export function toUsage(usage: TokenUsage): JsonObject {
  const figures = {
    input_tokens: Math.max(0, usage.inputTokens - usage.cachedInputTokens - usage.cacheWriteTokens),
    cache_creation_input_tokens: usage.cacheWriteTokens,
    cache_read_input_tokens: usage.cachedInputTokens,
    output_tokens: usage.outputTokens,
  }
  return usage.reasoningTokens === 0
    ? figures
    : { ...figures, output_tokens_details: { thinking_tokens: usage.reasoningTokens } }
}

const form = { from: (wire: JsonObject) => fromUsage(wire), to: toUsage }

/** Ours, or the provider's own object where it still says the same. */
export function restoreUsage(usage: TokenUsage, own: JsonValue | undefined): JsonObject {
  return restoreFigures(usage, own, form)
}

/** Of a response, a `message_start` or a `message_delta` event. Absent figures read as 0. */
export function readUsage(body: JsonObject): TokenUsage | undefined {
  const message = body['message']
  const usage = body['usage'] ?? (isJsonObject(message) ? message['usage'] : undefined)
  return isJsonObject(usage) ? fromUsage(usage) : undefined
}
