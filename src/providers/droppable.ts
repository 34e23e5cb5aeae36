/**
 * What may be left out on the way to another dialect: per source dialect and level, field → rule.
 * - a reason: dropped with a downgrade that the caller sees
 * - `null`: dropped without a word, because it is a second spelling of something that is carried
 * - `{ only }`: dropped without a word when it has this value, which asks for nothing (a default); else refused
 * A field that is not listed is refused with `faults.cannotExpress`. The reference page of downgrades is generated
 * from this table.
 */
import type { DialectId } from '../domain/dialect-id.ts'
import type { JsonValue } from '../domain/json.ts'

/** Where native fields sit: the body, a message or item, a content part, a tool definition, reasoning options. */
export type NativeLevel = 'request' | 'message' | 'part' | 'tool' | 'reasoning'

export type DroppableRule = string | null | { readonly only: JsonValue }
export type DroppableFields = Readonly<Record<string, DroppableRule>>
export type DroppableTable = Readonly<Record<NativeLevel, DroppableFields>>

const cacheHint = 'prompt caching is only a hint to this provider'

export const droppable: Readonly<Record<DialectId, DroppableTable>> = Object.freeze({
  'openai-chat': {
    request: {},
    message: {},
    part: { cache_control: cacheHint },
    tool: {},
    reasoning: {},
  },
  'openai-responses': { request: {}, message: {}, part: {}, tool: {}, reasoning: {} },
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
  gemini: { request: {}, message: {}, part: {}, tool: {}, reasoning: {} },
  'bedrock-converse': { request: {}, message: {}, part: {}, tool: {}, reasoning: {} },
})
