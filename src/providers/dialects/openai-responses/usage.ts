/** Usage figures of the Responses API. Totals include their parts, as in `TokenUsage`. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import { countOr } from '../../reading.ts'

const none: JsonObject = Object.freeze({})

export function readUsageFigures(value: JsonValue | undefined): TokenUsage | undefined {
  if (!isJsonObject(value)) return undefined
  const input = countOr(value['input_tokens'], undefined)
  const output = countOr(value['output_tokens'], undefined)
  if (input === undefined && output === undefined) return undefined
  const inputDetails = isJsonObject(value['input_tokens_details']) ? value['input_tokens_details'] : none
  const outputDetails = isJsonObject(value['output_tokens_details']) ? value['output_tokens_details'] : none
  return {
    inputTokens: input ?? 0,
    outputTokens: output ?? 0,
    cachedInputTokens: countOr(inputDetails['cached_tokens'], 0),
    cacheWriteTokens: countOr(inputDetails['cache_write_tokens'], 0),
    reasoningTokens: countOr(outputDetails['reasoning_tokens'], 0),
    estimated: false,
  }
}

export function writeUsageFigures(usage: TokenUsage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteTokens,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.inputTokens + usage.outputTokens,
  }
}
