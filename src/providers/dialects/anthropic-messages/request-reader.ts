/**
 * Anthropic Messages request → canonical.
 *
 * One user message of the wire may become several canonical messages, because tool results stand in messages of
 * their own there; notes in `native` (`role: open`, `role: closed`) say how to join them again.
 */
import type {
  CanonicalRequest,
  Message,
  Native,
  OpaquePart,
  OutputFormat,
  Part,
  ReasoningOptions,
  SamplingOptions,
  ToolChoice,
  ToolDefinition,
} from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import {
  expectObject,
  expectString,
  invalidField,
  isJsonArray,
  missingField,
  present,
  readArray,
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
import { splitToolResults, withNote } from '../../tool-turns.ts'
import { readBlocks, textNote } from './content-reader.ts'

const dialect = 'anthropic-messages'

const requestFields: ReadonlySet<string> = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'stop_sequences',
  'temperature',
  'top_p',
  'top_k',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'service_tier',
  'stream',
])

/** Throws `invalidField` or `missingField` with the path of the field. `max_tokens` may be absent (token counting). */
export function readRequest(body: JsonObject): CanonicalRequest {
  const { tools, builtinTools } = readTools(body)
  const choice = readOptionalObject(body, 'tool_choice', '')
  const output = readOutput(body)
  const stopSequences = readOptionalArray(body, 'stop_sequences', '') ?? []
  return present<CanonicalRequest>({
    dialect,
    model: readString(body, 'model', ''),
    messages: [...readSystem(body), ...readMessages(body)],
    tools,
    builtinTools,
    toolChoice: choice === undefined ? undefined : readToolChoice(choice),
    parallelToolCalls: choice === undefined ? undefined : readParallel(choice),
    output,
    reasoning: readReasoning(body),
    sampling: readSampling(body),
    maxOutputTokens: readOptionalCount(body, 'max_tokens', ''),
    stopSequences: stopSequences.map((value, index) => expectString(value, `stop_sequences[${index}]`)),
    stream: readOptionalBoolean(body, 'stream', '') ?? false,
    endUser: readOptionalString(readOptionalObject(body, 'metadata', '') ?? {}, 'user_id', 'metadata'),
    serviceTier: readOptionalString(body, 'service_tier', ''),
    native: readNative(body),
  })
}

function readSampling(body: JsonObject): SamplingOptions {
  return present<SamplingOptions>({
    temperature: readOptionalNumber(body, 'temperature', ''),
    topP: readOptionalNumber(body, 'top_p', ''),
    topK: readOptionalCount(body, 'top_k', ''),
  })
}

/** The top-level system prompt is the first canonical message. */
function readSystem(body: JsonObject): Message[] {
  const system = body['system']
  if (system === undefined || system === null) return []
  const native =
    typeof system === 'string' ? ({ dialect, fields: textNote, at: 'system' } as const) : undefined
  return [present<Message>({ role: 'system', parts: readContent(system, 'system'), native, at: 'system' })]
}

function readContent(content: JsonValue | undefined, at: string): Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (isJsonArray(content)) return readBlocks(content, at)
  throw invalidField(at, 'it must be a string or an array of blocks')
}

const messageFields: ReadonlySet<string> = new Set(['role', 'content'])
const wireRoles: ReadonlySet<string> = new Set(['user', 'assistant', 'system'])

function readMessages(body: JsonObject): Message[] {
  return readArray(body, 'messages', '').flatMap((value, index) => {
    const at = `messages[${index}]`
    const message = expectObject(value, at)
    const role = readString(message, 'role', at)
    if (!wireRoles.has(role)) throw invalidField(`${at}.role`, 'it must be user, assistant or system')
    const content = message['content']
    const parts = readContent(content, `${at}.content`)
    let native = untaken(message, messageFields, { dialect, at })
    if (typeof content === 'string') native = withNote(native, textNote, { dialect, at })
    if (role !== 'user') refuseToolResults(parts, at)
    if (role === 'system')
      return { role, parts, native: withNote(native, { role }, { dialect, at }), at } as Message
    return splitToolResults({ dialect, role: role === 'user' ? 'user' : 'assistant', parts, native, at })
  })
}

function refuseToolResults(parts: readonly Part[], at: string): void {
  for (const [index, part] of parts.entries()) {
    if (part.type === 'tool-result')
      throw invalidField(`${at}.content[${index}]`, 'tool results belong to the user')
  }
}

const toolFields: ReadonlySet<string> = new Set(['name', 'description', 'input_schema', 'strict'])

function readTools(body: JsonObject): { tools: ToolDefinition[]; builtinTools: OpaquePart[] } {
  const tools: ToolDefinition[] = []
  const builtinTools: OpaquePart[] = []
  for (const [index, value] of (readOptionalArray(body, 'tools', '') ?? []).entries()) {
    const at = `tools[${index}]`
    const tool = expectObject(value, at)
    const type = readOptionalString(tool, 'type', at)
    if (type === undefined || type === 'custom') tools.push(readTool(tool, at))
    else builtinTools.push({ type: 'opaque', native: { dialect, fields: tool, at } })
  }
  return { tools, builtinTools }
}

function readTool(tool: JsonObject, at: string): ToolDefinition {
  return present<ToolDefinition>({
    name: readString(tool, 'name', at),
    description: readOptionalString(tool, 'description', at),
    parameters: readObject(tool, 'input_schema', at),
    strict: readOptionalBoolean(tool, 'strict', at),
    native: untaken(tool, toolFields, { dialect, at }),
  })
}

function readToolChoice(choice: JsonObject): ToolChoice {
  const type = readString(choice, 'type', 'tool_choice')
  if (type === 'auto' || type === 'none') return { type }
  if (type === 'any') return { type: 'required' }
  if (type === 'tool') return { type, name: readString(choice, 'name', 'tool_choice') }
  throw invalidField('tool_choice.type', 'it must be auto, any, tool or none')
}

function readParallel(choice: JsonObject): boolean | undefined {
  const disabled = readOptionalBoolean(choice, 'disable_parallel_tool_use', 'tool_choice')
  return disabled === undefined ? undefined : !disabled
}

/** `output_config.format`, or `output_format` as the field was called in its beta. */
function readOutput(body: JsonObject): OutputFormat | undefined {
  const config = readOptionalObject(body, 'output_config', '') ?? {}
  const format = readOptionalObject(config, 'format', 'output_config')
  if (format !== undefined) return readFormat(format, 'output_config.format')
  const beta = readOptionalObject(body, 'output_format', '')
  return beta === undefined ? undefined : readFormat(beta, 'output_format')
}

function readFormat(format: JsonObject, at: string): OutputFormat {
  if (readString(format, 'type', at) !== 'json_schema')
    throw invalidField(`${at}.type`, 'it must be json_schema')
  return { type: 'json-schema', schema: readObject(format, 'schema', at) }
}

const enabledFields: ReadonlySet<string> = new Set(['type', 'budget_tokens', 'display'])
const disabledFields: ReadonlySet<string> = new Set(['type'])
const otherThinkingFields: ReadonlySet<string> = new Set(['display'])
const displays: ReadonlyMap<string, boolean> = new Map([
  ['summarized', true],
  ['omitted', false],
])

function readReasoning(body: JsonObject): ReasoningOptions | undefined {
  const config = readOptionalObject(body, 'output_config', '') ?? {}
  const effort = readOptionalString(config, 'effort', 'output_config')
  const thinking = readOptionalObject(body, 'thinking', '')
  if (thinking === undefined) return effort === undefined ? undefined : { effort }
  const type = readString(thinking, 'type', 'thinking')
  const origin = { dialect, at: 'thinking' } as const
  if (type === 'disabled') {
    return present<ReasoningOptions>({
      effort,
      disabled: true,
      native: untaken(thinking, disabledFields, origin),
    })
  }
  const display = readOptionalString(thinking, 'display', 'thinking')
  const visible = display === undefined ? undefined : displays.get(display)
  if (display !== undefined && visible === undefined) {
    throw invalidField('thinking.display', 'it must be summarized or omitted')
  }
  const enabled = type === 'enabled'
  const budgetTokens = enabled ? readOptionalCount(thinking, 'budget_tokens', 'thinking') : undefined
  if (enabled && budgetTokens === undefined) throw missingField('thinking.budget_tokens')
  return present<ReasoningOptions>({
    effort,
    budgetTokens,
    visible,
    native: untaken(thinking, enabled ? enabledFields : otherThinkingFields, origin),
  })
}

/**
 * Fields without a counterpart, what is left of the objects that the canonical form takes apart, and notes of
 * shape: empty lists and an explicit `stream: false` against none.
 */
function readNative(body: JsonObject): Native | undefined {
  const fields: Record<string, JsonValue | undefined> = {}
  for (const key of ['tools', 'stop_sequences'] as const) {
    const value = body[key]
    if (isJsonArray(value) && value.length === 0) fields[key] = value
  }
  if (body['stream'] === false) fields['stream'] = false
  for (const [key, known] of nestedFields) {
    const value = body[key]
    if (!isJsonObject(value)) continue
    const rest = untaken(value, known, { dialect, at: key })
    const format = formatRest(key === 'output_config' ? value['format'] : undefined)
    if (format !== undefined) fields[key] = { ...rest?.fields, format }
    else if (rest !== undefined || Object.keys(value).length === 0) fields[key] = rest?.fields ?? {}
  }
  const beta = body['output_format']
  if (isJsonObject(beta)) fields['output_format'] = hasFormat(body) ? beta : (formatRest(beta) ?? {})
  const rest = untaken(body, requestFields, { dialect, at: '' })
  if (Object.keys(fields).length === 0) return rest
  return { dialect, fields: { ...rest?.fields, ...fields }, at: '' }
}

const formatFields: ReadonlySet<string> = new Set(['type', 'schema'])

/** What a format holds beside its schema. */
function formatRest(format: JsonValue | undefined): JsonObject | undefined {
  return isJsonObject(format) ? untaken(format, formatFields, { dialect, at: '' })?.fields : undefined
}

function hasFormat(body: JsonObject): boolean {
  const config = body['output_config']
  return isJsonObject(config) && isJsonObject(config['format'])
}

const nestedFields: readonly (readonly [key: string, known: ReadonlySet<string>])[] = [
  ['tool_choice', new Set(['type', 'name', 'disable_parallel_tool_use'])],
  ['metadata', new Set(['user_id'])],
  ['output_config', new Set(['effort', 'format'])],
]
