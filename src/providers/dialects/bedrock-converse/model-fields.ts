/**
 * What `additionalModelRequestFields` holds differs by model family; the family stands in the model id
 * (`us.anthropic.claude-…`). Models of other families, and ids that hide the family (profile ARNs), take none.
 */
import type { ReasoningOptions } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'

export interface ModelFamily {
  /** A part of the model id. */
  readonly mark: string
  /** Name of the top-k field. */
  readonly topK?: string
  /** Fields for reasoning; undefined where these options have no word. */
  readonly reasoning?: (reasoning: ReasoningOptions) => JsonObject | undefined
}

const families: readonly ModelFamily[] = [
  { mark: 'anthropic.', topK: 'top_k', reasoning: anthropicReasoning },
  { mark: 'openai.', reasoning: effortField },
]

export function familyOf(model: string): ModelFamily | undefined {
  return families.find((family) => model.includes(family.mark))
}

/** As Anthropic's own API has it: a budget, or adaptive thinking with an effort. */
function anthropicReasoning(reasoning: ReasoningOptions): JsonObject {
  if (reasoning.disabled === true || reasoning.effort === 'none') return { thinking: { type: 'disabled' } }
  if (reasoning.budgetTokens !== undefined) {
    return { thinking: { type: 'enabled', budget_tokens: Math.max(1024, reasoning.budgetTokens) } }
  }
  const fields: Record<string, JsonValue> = { thinking: { type: 'adaptive' } }
  if (reasoning.effort !== undefined) {
    fields['output_config'] = { effort: reasoning.effort === 'minimal' ? 'low' : reasoning.effort }
  }
  return fields
}

function effortField(reasoning: ReasoningOptions): JsonObject | undefined {
  return reasoning.effort === undefined ? undefined : { reasoning_effort: reasoning.effort }
}
