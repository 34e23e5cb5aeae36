/**
 * The normal form of bodies: what a dialect's own definition calls equal is written in one way. A → canonical → A
 * must give a body of the same normal form, and nothing else may differ.
 */
import type { DialectId } from '../../src/domain/dialect-id.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/domain/json.ts'

type Normal = (body: JsonObject) => JsonObject

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : []
}

function mapObjects(value: JsonValue | undefined, map: Normal): JsonValue | undefined {
  if (!Array.isArray(value)) return value
  return value.map((entry: JsonValue) => (isJsonObject(entry) ? map(entry) : entry))
}

/** `[{ type, text }]` ≡ the string. */
function textOf(value: JsonValue | undefined, types: readonly string[]): JsonValue | undefined {
  const [only, ...others] = list(value)
  if (others.length > 0 || !isJsonObject(only) || !types.includes(String(only['type']))) return value
  const bare = Object.keys(only).every((key) => key === 'type' || key === 'text')
  return bare && typeof only['text'] === 'string' ? only['text'] : value
}

function functionsFirst(tools: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(tools)) return tools
  const isFunction = (tool: JsonValue) => isJsonObject(tool) && tool['type'] === 'function'
  return [...tools.filter(isFunction), ...tools.filter((tool: JsonValue) => !isFunction(tool))]
}

/** Function tools before others; one text ≡ its string; one stop text ≡ a list of it. */
function chatRequest(body: JsonObject): JsonObject {
  return {
    ...body,
    messages: mapObjects(body['messages'], (message) => ({
      ...message,
      content: textOf(message['content'], ['text']),
    })),
    tools: functionsFirst(body['tools']),
    stop: typeof body['stop'] === 'string' ? [body['stop']] : body['stop'],
  }
}

/** A string input ≡ one user message; a message without type ≡ with it; one input text ≡ its string. */
function responsesRequest(body: JsonObject): JsonObject {
  const { input } = body
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  return {
    ...body,
    input: mapObjects(items, (item) => {
      const type = item['type'] ?? 'message'
      if (type === 'function_call_output') return { ...item, output: textOf(item['output'], ['input_text']) }
      if (type !== 'message') return item
      const types = item['role'] === 'assistant' ? ['output_text', 'input_text'] : ['input_text']
      const isOutput = typeof item['id'] === 'string'
      return { ...item, type, content: isOutput ? item['content'] : textOf(item['content'], types) }
    }),
    tools: functionsFirst(body['tools']),
  }
}

/** In responses `null` means absent, and output texts always have annotations. */
function withoutNulls(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((entry: JsonValue) => withoutNulls(entry) ?? null)
  if (!isJsonObject(value)) return value
  const kept = Object.entries(value).filter(([, entry]) => entry !== null && entry !== undefined)
  return Object.fromEntries(kept.map(([key, entry]) => [key, withoutNulls(entry)]))
}

const identity: Normal = (body) => body
const nullIsAbsent: Normal = (body) => (withoutNulls(body) ?? {}) as JsonObject

export const normalRequest: Readonly<Record<DialectId, Normal>> = {
  'openai-chat': chatRequest,
  'openai-responses': responsesRequest,
  'anthropic-messages': identity,
  gemini: identity,
  'bedrock-converse': identity,
}

export const normalResponse: Readonly<Record<DialectId, Normal>> = {
  'openai-chat': nullIsAbsent,
  'openai-responses': nullIsAbsent,
  'anthropic-messages': identity,
  gemini: identity,
  'bedrock-converse': identity,
}
