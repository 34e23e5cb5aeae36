/** Reasoning options in the words of both OpenAI dialects: an effort, never a token budget. */
import type { CanonicalRequest, ReasoningOptions } from '../../domain/canonical.ts'
import { callerField } from '../caller-fields.ts'
import type { NativeTarget } from '../native.ts'

/** Token budgets as efforts: at most so many tokens → effort. */
const effortByBudget: readonly (readonly [maxTokens: number, effort: string])[] = [
  [2048, 'low'],
  [16_384, 'medium'],
  [Number.POSITIVE_INFINITY, 'high'],
]

/** The effort that comes nearest to a budget; a negative budget leaves it to the model. */
export function effortOfBudget(budgetTokens: number): string | undefined {
  if (budgetTokens < 0) return undefined
  return effortByBudget.find(([maxTokens]) => budgetTokens <= maxTokens)?.[1]
}

/** `reasoning_effort` for these options; reports what a budget or a switch turned into. */
export function effortOf(
  reasoning: ReasoningOptions,
  request: CanonicalRequest,
  target: Pick<NativeTarget, 'downgrade'>,
): string | undefined {
  if (reasoning.effort !== undefined) return reasoning.effort
  if (reasoning.disabled === true) {
    const field = callerField(request, 'reasoning')
    target.downgrade({ field, reason: "the model's own default decides whether it reasons" })
    return undefined
  }
  if (reasoning.budgetTokens === undefined) return undefined
  const effort = effortOfBudget(reasoning.budgetTokens)
  const reason = `a token budget becomes the effort ${effort ?? 'of the model'}`
  target.downgrade({ field: callerField(request, 'reasoningBudget'), reason })
  return effort
}
