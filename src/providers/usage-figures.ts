/** Putting a provider's own usage object back, so that figures without a counterpart survive the way to its own dialect. */
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts'
import type { TokenUsage } from '../domain/usage.ts'

export interface UsageForm {
  readonly from: (wire: JsonObject) => TokenUsage
  readonly to: (usage: TokenUsage) => JsonObject
}

/** The provider's own object where it still says the same, else ours over it. */
export function restoreFigures(usage: TokenUsage, own: JsonValue | undefined, form: UsageForm): JsonObject {
  if (!isJsonObject(own)) return form.to(usage)
  const told = form.from(own)
  const same =
    told.inputTokens === usage.inputTokens &&
    told.outputTokens === usage.outputTokens &&
    told.cachedInputTokens === usage.cachedInputTokens &&
    told.cacheWriteTokens === usage.cacheWriteTokens
  return same ? own : { ...own, ...form.to(usage) }
}
