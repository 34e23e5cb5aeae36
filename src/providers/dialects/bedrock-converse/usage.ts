/** `usage` ↔ canonical. As at Anthropic, cached tokens are counted beside `inputTokens`. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import { countOr } from '../../reading.ts'
import { restoreFigures } from '../../usage-figures.ts'

export function fromUsage(usage: JsonObject): TokenUsage {
  const cached = countOr(usage['cacheReadInputTokens'], 0)
  const written = countOr(usage['cacheWriteInputTokens'], 0)
  return {
    inputTokens: countOr(usage['inputTokens'], 0) + cached + written,
    outputTokens: countOr(usage['outputTokens'], 0),
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    reasoningTokens: 0,
    estimated: false,
  }
}

export function toUsage(usage: TokenUsage): JsonObject {
  const figures: Record<string, JsonValue> = {
    inputTokens: Math.max(0, usage.inputTokens - usage.cachedInputTokens - usage.cacheWriteTokens),
    outputTokens: usage.outputTokens,
    totalTokens: usage.inputTokens + usage.outputTokens,
  }
  if (usage.cachedInputTokens > 0) figures['cacheReadInputTokens'] = usage.cachedInputTokens
  if (usage.cacheWriteTokens > 0) figures['cacheWriteInputTokens'] = usage.cacheWriteTokens
  return figures
}

const form = { from: fromUsage, to: toUsage }

/** Ours, or the provider's own object where it still says the same. */
export function restoreUsage(usage: TokenUsage, own: JsonValue | undefined): JsonObject {
  return restoreFigures(usage, own, form)
}

/** Of a response or a `metadata` event. */
export function readUsage(body: JsonObject): TokenUsage | undefined {
  const usage = body['usage']
  return isJsonObject(usage) ? fromUsage(usage) : undefined
}
