/**
 * What may be left out on the way to another dialect: per source dialect and level, field → rule.
 * - a reason: dropped with a downgrade that the caller sees
 * - `null`: dropped without a word, because it is a second spelling of something that is carried
 * - `{ only }`: dropped without a word when it has this value, which asks for nothing (a default); else refused,
 *   or, with `{ otherwise }`, dropped with that reason
 * - `{ inside }`: an object, or a list of them, whose own fields go by these rules; `unnamed` where the caller did not write it as an
 *   object of its own
 * A field that is not listed is refused with `faults.cannotExpress`.
 */
import type { DialectId } from '../domain/dialect-id.ts'
import type { JsonValue } from '../domain/json.ts'

/** Where native fields sit: the body, a message or item, a content part, a tool definition, reasoning options. */
export type NativeLevel = 'request' | 'message' | 'part' | 'tool' | 'reasoning'

export type DroppableRule =
  | string
  | null
  | { readonly only: JsonValue; readonly otherwise?: string }
  | { readonly inside: DroppableFields; readonly unnamed?: true }
export interface DroppableFields {
  readonly [field: string]: DroppableRule
}
export type DroppableTable = Readonly<Record<NativeLevel, DroppableFields>>

const noPadding = { only: false, otherwise: 'the provider does not pad its stream' } as const

const cacheHint = 'prompt caching is only a hint to this provider'

/** What an output item says besides its content, all of it OpenAI's own bookkeeping or carried otherwise. */
const outputItem: DroppableFields = {
  content: { inside: { text: null, type: null } },
  encrypted_content: null,
  id: null,
  phase: null,
  status: null,
  summary: { inside: { text: null, type: null } },
  type: null,
}

export const droppable: Readonly<Record<DialectId, DroppableTable>> = Object.freeze({
  'openai-chat': {
    request: {
      functions: null,
      logit_bias: { only: {} },
      max_tokens: null,
      metadata: 'only text values can be carried',
      modalities: { only: ['text'] },
      parallel_tool_calls: null,
      prediction: 'predicted output only saves time',
      prompt_cache_key: cacheHint,
      prompt_cache_options: cacheHint,
      prompt_cache_retention: cacheHint,
      safety_identifier: null,
      stop: null,
      store: { only: false, otherwise: 'the provider keeps no stored completions' },
      stream: null,
      stream_options: { inside: { include_obfuscation: noPadding } },
      tools: null,
      top_k: null,
      user: null,
      verbosity: 'the provider has no setting for verbosity',
    },
    message: {
      annotations: 'citations of earlier answers are not sent again',
      reasoning: null,
      reasoning_details: null,
      role: null,
      tool_calls: null,
    },
    part: {
      cache_control: cacheHint,
      function_call: null,
      prompt_cache_breakpoint: cacheHint,
      reasoning: null,
      reasoning_details: null,
      type: null,
    },
    tool: { cache_control: cacheHint, function: { inside: {} } },
    reasoning: {},
  },
  'openai-responses': {
    request: {
      background: { only: false },
      include: 'extra output is given by OpenAI only',
      input: null,
      metadata: 'only text values can be carried',
      prompt_cache_key: cacheHint,
      prompt_cache_options: cacheHint,
      prompt_cache_retention: cacheHint,
      safety_identifier: null,
      store: { only: false, otherwise: 'the provider keeps no stored responses' },
      stream: null,
      stream_options: { inside: { include_obfuscation: noPadding } },
      text: { inside: { verbosity: 'the provider has no setting for verbosity' } },
      tools: null,
      truncation: { only: 'disabled' },
      user: null,
    },
    message: { id: null, instructions: null, phase: null, role: null, status: null },
    part: {
      annotations: 'citations of earlier answers are not sent again',
      id: null,
      item: { inside: outputItem, unnamed: true },
      logprobs: null,
      prompt_cache_breakpoint: cacheHint,
      status: null,
      type: null,
    },
    tool: {
      allowed_callers: { only: ['direct'] },
      defer_loading: { only: false },
      output_schema: 'results are not checked against a schema',
    },
    reasoning: {
      generate_summary: null,
      mode: { only: 'standard' },
      summary: null,
    },
  },
  'anthropic-messages': {
    request: {
      cache_control: cacheHint,
      context_management: 'the provider does not edit the context; it is sent whole',
      diagnostics: 'the provider has no cache diagnostics',
      metadata: 'only metadata.user_id has a counterpart',
      output_config: 'only effort and format have a counterpart',
      output_format: null,
      speed: 'the provider has no speed setting',
      stop_sequences: null,
      stream: null,
      tool_choice: 'the provider has no such control',
      tools: null,
      user_profile_id: 'the provider has no user profiles',
    },
    message: { content: null, role: null },
    part: {
      cache_control: cacheHint,
      caller: { only: { type: 'direct' } },
      citations: 'the provider does not cite',
      content: null,
      toolset_name: 'the tool is called by its name alone',
      transformations: 'the provider scales images itself',
    },
    tool: {
      allowed_callers: { only: ['direct'] },
      cache_control: cacheHint,
      defer_loading: 'all tools are loaded at once',
      eager_input_streaming: 'the provider streams arguments as it likes',
      input_examples: 'the provider takes no examples beside the description',
      type: null,
    },
    reasoning: {
      display: null,
      type: 'the provider decides itself how much to think',
    },
  },
  gemini: {
    request: {
      generationConfig: null,
      'generationConfig.enableEnhancedCivicAnswers': 'the provider has no such setting',
      'generationConfig.mediaResolution': 'the provider chooses the resolution itself',
      'generationConfig.modelSelectionConfig': 'the gateway chooses the model',
      'generationConfig.responseModalities': { only: ['TEXT'] },
      'generationConfig.responseSchema': null,
      'generationConfig.routingConfig': 'the gateway chooses the model',
      'generationConfig.stopSequences': null,
      model: null,
      safetySettings: 'the provider has safety settings of its own',
      serviceTier: 'the provider has no such tier',
      store: 'the provider has no such setting',
      toolConfig: null,
      'toolConfig.functionCallingConfig': null,
      'toolConfig.functionCallingConfig.allowedFunctionNames': { only: [] },
      'toolConfig.functionCallingConfig.mode': 'the provider decides itself between text and calls',
      'toolConfig.functionCallingConfig.streamFunctionCallArguments':
        'the provider streams arguments as it likes',
      'toolConfig.includeServerSideToolInvocations': 'the provider has no such setting',
      'toolConfig.retrievalConfig': 'the provider has no such setting',
      tools: null,
    },
    message: { parts: null, role: null },
    part: {
      fileData: 'media have no display names',
      functionCall: 'the provider has no such field',
      functionResponse: 'the provider has no such field',
      inlineData: 'media have no display names',
      mediaResolution: 'the provider chooses the resolution itself',
      partMetadata: 'the provider keeps no metadata of parts',
      text: null,
      thought: null,
      thoughtSignature: 'the signature means something to Gemini alone',
    },
    tool: {
      behavior: 'calls block until their result is sent',
      parameters: null,
      response: 'the provider takes no schema of results',
      responseJsonSchema: 'the provider takes no schema of results',
    },
    reasoning: {
      thinkingBudget: 'the provider decides itself how much to think',
      thinkingLevel: null,
    },
  },
  'bedrock-converse': {
    request: {
      additionalModelRequestFields: null,
      'additionalModelRequestFields.anthropic_beta': 'beta switches are particular to the provider',
      additionalModelResponseFieldPaths: 'the provider has no such fields',
      inferenceConfig: null,
      'inferenceConfig.stopSequences': null,
      outputConfig: null,
      'outputConfig.textFormat.structure.jsonSchema.schema': null,
      performanceConfig: 'the provider has no speed setting',
      serviceTier: null,
      system: null,
      toolConfig: null,
      'toolConfig.toolChoice': 'the provider has no such control',
      'toolConfig.tools': null,
    },
    message: { role: null },
    part: {
      cachePoint: cacheHint,
      citations: 'the provider does not cite',
      source: null,
      text: null,
    },
    tool: { cachePoint: cacheHint },
    reasoning: {},
  },
})
