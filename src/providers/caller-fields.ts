/**
 * What callers call the options of the canonical form: option × dialect. Faults and downgrades name the field that
 * the caller wrote, not ours.
 */
import type { CanonicalRequest } from '../domain/canonical.ts'
import type { DialectId } from '../domain/dialect-id.ts'

type Names = readonly [chat: string, responses: string, anthropic: string, gemini: string, bedrock: string]

const names = {
  temperature: [
    'temperature',
    'temperature',
    'temperature',
    'generationConfig.temperature',
    'inferenceConfig.temperature',
  ],
  topP: ['top_p', 'top_p', 'top_p', 'generationConfig.topP', 'inferenceConfig.topP'],
  topK: ['top_k', 'top_k', 'top_k', 'generationConfig.topK', 'additionalModelRequestFields.top_k'],
  frequencyPenalty: [
    'frequency_penalty',
    'frequency_penalty',
    'frequency_penalty',
    'generationConfig.frequencyPenalty',
    'frequencyPenalty',
  ],
  presencePenalty: [
    'presence_penalty',
    'presence_penalty',
    'presence_penalty',
    'generationConfig.presencePenalty',
    'presencePenalty',
  ],
  seed: ['seed', 'seed', 'seed', 'generationConfig.seed', 'seed'],
  candidates: ['n', 'n', 'n', 'generationConfig.candidateCount', 'n'],
  logprobs: ['logprobs', 'include', 'logprobs', 'generationConfig.responseLogprobs', 'logprobs'],
  topLogprobs: ['top_logprobs', 'top_logprobs', 'top_logprobs', 'generationConfig.logprobs', 'top_logprobs'],
  maxOutputTokens: [
    'max_completion_tokens',
    'max_output_tokens',
    'max_tokens',
    'generationConfig.maxOutputTokens',
    'inferenceConfig.maxTokens',
  ],
  stopSequences: [
    'stop',
    'stop',
    'stop_sequences',
    'generationConfig.stopSequences',
    'inferenceConfig.stopSequences',
  ],
  tools: ['tools', 'tools', 'tools', 'tools', 'toolConfig.tools'],
  toolChoice: [
    'tool_choice',
    'tool_choice',
    'tool_choice',
    'toolConfig.functionCallingConfig',
    'toolConfig.toolChoice',
  ],
  parallelToolCalls: [
    'parallel_tool_calls',
    'parallel_tool_calls',
    'tool_choice.disable_parallel_tool_use',
    'parallel_tool_calls',
    'parallel_tool_calls',
  ],
  output: [
    'response_format',
    'text.format',
    'output_config.format',
    'generationConfig.responseSchema',
    'outputConfig.textFormat',
  ],
  reasoning: [
    'reasoning_effort',
    'reasoning',
    'thinking',
    'generationConfig.thinkingConfig',
    'additionalModelRequestFields.thinking',
  ],
  reasoningEffort: [
    'reasoning_effort',
    'reasoning.effort',
    'output_config.effort',
    'generationConfig.thinkingConfig.thinkingLevel',
    'reasoning_effort',
  ],
  reasoningBudget: [
    'reasoning.max_tokens',
    'reasoning.max_tokens',
    'thinking.budget_tokens',
    'generationConfig.thinkingConfig.thinkingBudget',
    'additionalModelRequestFields.thinking.budget_tokens',
  ],
  reasoningVisible: [
    'reasoning',
    'reasoning.summary',
    'thinking.display',
    'generationConfig.thinkingConfig.includeThoughts',
    'additionalModelRequestFields.thinking',
  ],
  serviceTier: ['service_tier', 'service_tier', 'service_tier', 'serviceTier', 'serviceTier'],
  endUser: ['user', 'user', 'metadata.user_id', 'labels', 'requestMetadata'],
  metadata: ['metadata', 'metadata', 'metadata', 'labels', 'requestMetadata'],
} as const satisfies Record<string, Names>

export type CanonicalOption = keyof typeof names

const column: Readonly<Record<DialectId, 0 | 1 | 2 | 3 | 4>> = {
  'openai-chat': 0,
  'openai-responses': 1,
  'anthropic-messages': 2,
  gemini: 3,
  'bedrock-converse': 4,
}

/** The caller's name of an option; the first column where the caller's dialect is unknown. */
export function callerField(request: CanonicalRequest, option: CanonicalOption): string {
  return names[option][column[request.dialect ?? 'openai-chat']]
}

/** The path of a part in the caller's terms; `part` counts from 0. */
export function callerPart(request: CanonicalRequest, message: number, part?: number): string {
  const at = request.messages[message]?.at ?? `messages[${message}]`
  if (part === undefined) return at
  return request.dialect === 'gemini' ? `${at}.parts[${part}]` : `${at}.content[${part}]`
}
