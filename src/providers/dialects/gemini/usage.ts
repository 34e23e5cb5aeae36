/**
 * `usageMetadata` ↔ canonical. Cached tokens are part of `promptTokenCount`; thoughts and tool-use prompts stand
 * beside the counts that the canonical form includes them in. Every chunk of a stream carries cumulative figures.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import { countOr } from '../../reading.ts'
import { restoreFigures } from '../../usage-figures.ts'

export function fromUsage(usage: JsonObject): TokenUsage {
  const thoughts = countOr(usage['thoughtsTokenCount'], 0)
  return {
    inputTokens: countOr(usage['promptTokenCount'], 0) + countOr(usage['toolUsePromptTokenCount'], 0),
    outputTokens: countOr(usage['candidatesTokenCount'], 0) + thoughts,
    cachedInputTokens: countOr(usage['cachedContentTokenCount'], 0),
    cacheWriteTokens: 0,
    reasoningTokens: thoughts,
    estimated: false,
  }
}

export function toUsage(usage: TokenUsage): JsonObject {
  const figures: Record<string, JsonValue> = {
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: Math.max(0, usage.outputTokens - usage.reasoningTokens),
    totalTokenCount: usage.inputTokens + usage.outputTokens,
  }
  if (usage.reasoningTokens > 0) figures['thoughtsTokenCount'] = usage.reasoningTokens
  if (usage.cachedInputTokens > 0) figures['cachedContentTokenCount'] = usage.cachedInputTokens
  return figures
}

const form = { from: (wire: JsonObject) => fromUsage(wire), to: toUsage }

/** Ours, or the provider's own object where it still says the same. */
export function restoreUsage(usage: TokenUsage, own: JsonValue | undefined): JsonObject {
  return restoreFigures(usage, own, form)
}

/** Of a response or a chunk of a stream. */
export function readUsage(body: JsonObject): TokenUsage | undefined {
  const usage = body['usageMetadata']
  return isJsonObject(usage) ? fromUsage(usage) : undefined
}
