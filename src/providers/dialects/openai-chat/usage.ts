/** Usage figures of Chat Completions. Totals include their parts, as in `TokenUsage`. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import { countOr } from '../../reading.ts'

/** DeepSeek tells cached tokens by `prompt_cache_hit_tokens`. */
export function readUsageFigures(value: JsonValue | undefined): TokenUsage | undefined {
  if (!isJsonObject(value)) return undefined
  const prompt = countOr(value['prompt_tokens'], undefined)
  const completion = countOr(value['completion_tokens'], undefined)
  if (prompt === undefined && completion === undefined) return undefined
  const promptDetails = isJsonObject(value['prompt_tokens_details']) ? value['prompt_tokens_details'] : value
  const completionDetails = value['completion_tokens_details']
  return {
    inputTokens: prompt ?? 0,
    outputTokens: completion ?? 0,
    cachedInputTokens: countOr(promptDetails['cached_tokens'], countOr(value['prompt_cache_hit_tokens'], 0)),
    cacheWriteTokens: countOr(promptDetails['cache_write_tokens'], 0),
    reasoningTokens: isJsonObject(completionDetails) ? countOr(completionDetails['reasoning_tokens'], 0) : 0,
    estimated: false,
  }
}

export function writeUsageFigures(usage: TokenUsage): JsonObject {
  const written = usage.cacheWriteTokens > 0 ? { cache_write_tokens: usage.cacheWriteTokens } : {}
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens, ...written },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  }
}
