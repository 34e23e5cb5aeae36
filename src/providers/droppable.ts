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
    request: {},
    message: {},
    part: { cache_control: cacheHint },
    tool: { cache_control: cacheHint },
    reasoning: {},
  },
  gemini: { request: {}, message: {}, part: {}, tool: {}, reasoning: {} },
  'bedrock-converse': { request: {}, message: {}, part: {}, tool: {}, reasoning: {} },
})
