/**
 * A Responses request → canonical. Fields without a canonical counterpart stay in `native` by their own names.
 *
 * Normalised on the way (equal by the API's own definition): `input: "x"` ≡ one user message; a message item
 * without `type` ≡ one with `type: "message"`; one text part ≡ its string; `input_text` ≡ `output_text` where the
 * role allows only one of them; function tools stand before the built-in ones.
 */
import type {
  CanonicalRequest,
  Message,
  OpaquePart,
  OutputFormat,
  ReasoningOptions,
  ToolChoice,
  ToolDefinition,
} from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { ReadRequestContext } from '../../dialect.ts'
import {
  expectObject,
  invalidField,
  isJsonArray,
  present,
  readObject,
  readOptionalArray,
  readOptionalBoolean,
  readOptionalCount,
  readOptionalNumber,
  readOptionalObject,
  readOptionalString,
  readString,
  untaken,
} from '../../reading.ts'
import { type Leftover, readEndUser, readMetadata } from '../openai-reading.ts'
import { readInput } from './read-items.ts'

const dialect = 'openai-responses'

const known: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'temperature',
  'top_p',
  'top_logprobs',
  'max_output_tokens',
  'stream',
  'user',
  'metadata',
  'service_tier',
])

/** The entry of `include` that asks for log probabilities. */
export const logprobsInclude = 'message.output_text.logprobs'

export function readRequest(body: JsonObject, ctx: ReadRequestContext): CanonicalRequest {
  const extra: Leftover = {}
  const tools = readTools(body, extra)
  const includes = readOptionalArray(body, 'include', '')
  const request = present<CanonicalRequest>({
    dialect,
    model: readString(body, 'model', ''),
    messages: readMessages(body, extra),
    tools: tools.functions,
    builtinTools: tools.builtin,
    toolChoice: readToolChoice(body, extra),
    parallelToolCalls: readOptionalBoolean(body, 'parallel_tool_calls', ''),
    output: readText(body, extra),
    reasoning: readReasoning(body),
    sampling: present({
      temperature: readOptionalNumber(body, 'temperature', ''),
      topP: readOptionalNumber(body, 'top_p', ''),
      topLogprobs: readOptionalCount(body, 'top_logprobs', ''),
      logprobs: includes?.includes(logprobsInclude) === true ? true : undefined,
    }),
    maxOutputTokens: readOptionalCount(body, 'max_output_tokens', ''),
    stopSequences: [],
    stream: ctx.stream ?? readOptionalBoolean(body, 'stream', '') ?? false,
    // This API always ends its streams with usage figures.
    streamUsage: true,
    endUser: readEndUser(body, extra),
    metadata: readMetadata(body, extra),
    serviceTier: readOptionalString(body, 'service_tier', ''),
    native: undefined,
  })
  if (body['stream'] === false) extra['stream'] = false
  const rest = untaken(body, known, { dialect, at: '' })
  for (const _ in extra)
    return { ...request, native: { dialect, fields: { ...rest?.fields, ...extra }, at: '' } }
  return rest === undefined ? request : { ...request, native: rest }
}

function readMessages(body: JsonObject, extra: Leftover): readonly Message[] {
  const messages: Message[] = []
  const instructions = readOptionalString(body, 'instructions', '')
  if (instructions !== undefined) {
    messages.push({
      role: 'system',
      parts: [{ type: 'text', text: instructions }],
      at: 'instructions',
      native: { dialect, fields: { instructions: true }, at: '' },
    })
  }
  const input = body['input']
  if (typeof input === 'string') {
    messages.push({ role: 'user', parts: [{ type: 'text', text: input }], at: 'input' })
  } else if (isJsonArray(input)) {
    if (input.length === 0) extra['input'] = []
    for (const message of readInput(input, 'input')) messages.push(message)
  } else if (input !== undefined && input !== null) {
    throw invalidField('input', 'it must be a string or an array')
  }
  return messages
}

const toolKeys: ReadonlySet<string> = new Set(['type', 'name', 'description', 'parameters', 'strict'])

function readTools(
  body: JsonObject,
  extra: Leftover,
): { readonly functions: readonly ToolDefinition[]; readonly builtin: readonly OpaquePart[] } {
  const functions: ToolDefinition[] = []
  const builtin: OpaquePart[] = []
  const list = readOptionalArray(body, 'tools', '') ?? []
  if (list.length === 0 && body['tools'] !== undefined && body['tools'] !== null) extra['tools'] = []
  for (const [index, value] of list.entries()) {
    const at = `tools[${index}]`
    const wire = expectObject(value, at)
    if (readString(wire, 'type', at) === 'function') functions.push(readFunction(wire, at))
    else builtin.push({ type: 'opaque', native: { dialect, fields: wire, at } })
  }
  return { functions, builtin }
}

function readFunction(wire: JsonObject, at: string): ToolDefinition {
  return present<ToolDefinition>({
    name: readString(wire, 'name', at),
    description: readOptionalString(wire, 'description', at),
    parameters: readOptionalObject(wire, 'parameters', at),
    strict: readOptionalBoolean(wire, 'strict', at),
    native: untaken(wire, toolKeys, { dialect, at }),
  })
}

function readToolChoice(body: JsonObject, extra: Leftover): ToolChoice | undefined {
  const value = body['tool_choice']
  if (value === undefined || value === null) return undefined
  if (value === 'auto' || value === 'none' || value === 'required') return { type: value }
  if (!isJsonObject(value)) throw invalidField('tool_choice', 'it must be none, auto, required or an object')
  if (value['type'] === 'function' && Object.keys(value).length === 2)
    return { type: 'tool', name: readString(value, 'name', 'tool_choice') }
  extra['tool_choice'] = value
  return undefined
}

function readText(body: JsonObject, extra: Leftover): OutputFormat | undefined {
  const text = readOptionalObject(body, 'text', '')
  if (text === undefined) return undefined
  const { format: _, ...rest } = text
  const format = text['format']
  const output = isJsonObject(format) ? readFormat(format) : undefined
  if (format !== undefined && output === undefined) extra['text'] = text
  else if (output === undefined || Object.keys(rest).length > 0) extra['text'] = rest
  return output
}

const schemaKeys: ReadonlySet<string> = new Set(['type', 'name', 'description', 'schema', 'strict'])

/** Undefined for a format that the canonical form cannot hold. */
function readFormat(format: JsonObject): OutputFormat | undefined {
  const at = 'text.format'
  const type = readString(format, 'type', at)
  const keys = Object.keys(format).length
  if (type === 'text' && keys === 1) return { type: 'text' }
  if (type === 'json_object' && keys === 1) return { type: 'json' }
  if (type !== 'json_schema' || untaken(format, schemaKeys, { dialect, at }) !== undefined) return undefined
  return present<OutputFormat & { type: 'json-schema' }>({
    type: 'json-schema',
    name: readOptionalString(format, 'name', at),
    description: readOptionalString(format, 'description', at),
    schema: readObject(format, 'schema', at),
    strict: readOptionalBoolean(format, 'strict', at),
  })
}

const reasoningKeys: ReadonlySet<string> = new Set(['effort'])

/** A wish for summaries counts as a wish to see reasoning; which kind of summary stays in `native`. */
function readReasoning(body: JsonObject): ReasoningOptions | undefined {
  const wire = readOptionalObject(body, 'reasoning', '')
  if (wire === undefined) return undefined
  const effort = readOptionalString(wire, 'effort', 'reasoning')
  const summary: JsonValue | undefined = wire['summary'] ?? wire['generate_summary']
  return present<ReasoningOptions>({
    effort,
    disabled: effort === 'none' ? true : undefined,
    visible: typeof summary === 'string' ? true : undefined,
    native: untaken(wire, reasoningKeys, { dialect, at: 'reasoning' }),
  })
}
