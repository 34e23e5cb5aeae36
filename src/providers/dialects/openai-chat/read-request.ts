/**
 * A Chat Completions request → canonical. Fields without a canonical counterpart stay in `native` by their own
 * names, at every level. Values of vendors' own kind (an unknown `response_format`, `tool_choice.allowed_tools`)
 * stay whole in `native`.
 *
 * Normalised on the way (equal by the API's own definition): one text part ≡ its string; `stop: "x"` ≡ `["x"]`;
 * function tools stand before custom and vendor-run tools.
 */
import type {
  CanonicalRequest,
  OpaquePart,
  OutputFormat,
  ReasoningOptions,
  SamplingOptions,
  ToolChoice,
  ToolDefinition,
} from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { ReadRequestContext } from '../../dialect.ts'
import {
  expectObject,
  expectString,
  invalidField,
  isJsonArray,
  present,
  readArray,
  readObject,
  readOptionalArray,
  readOptionalBoolean,
  readOptionalCount,
  readOptionalInteger,
  readOptionalNumber,
  readOptionalObject,
  readOptionalString,
  readString,
  untaken,
} from '../../reading.ts'
import { readEndUser, readMetadata } from '../openai-reading.ts'
import { readMessages } from './read-messages.ts'

const dialect = 'openai-chat'

const known: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'temperature',
  'top_p',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'n',
  'logprobs',
  'top_logprobs',
  'max_completion_tokens',
  'stop',
  'stream',
  'stream_options',
  'user',
  'metadata',
  'service_tier',
  'functions',
  'function_call',
])

export function readRequest(body: JsonObject, ctx: ReadRequestContext): CanonicalRequest {
  const extra: Record<string, JsonValue | undefined> = {}
  const legacy = readOptionalArray(body, 'functions', '')
  const listed = readOptionalArray(body, 'tools', '')
  if (legacy !== undefined && listed !== undefined) throw invalidField('functions', 'tools is given too')
  if (legacy !== undefined || !isAbsent(body['function_call'])) extra['functions'] = []
  if (listed?.length === 0) extra['tools'] = []
  const { tools, builtinTools } = readTools(listed ?? [])
  const functions = legacy?.map((value, index) => readFunction(value, `functions[${index}]`))
  const streamOptions = readStreamOptions(body, extra)
  const request = present<CanonicalRequest>({
    dialect,
    model: readString(body, 'model', ''),
    messages: readMessages(readArray(body, 'messages', ''), 'messages'),
    tools: functions ?? tools,
    builtinTools,
    toolChoice: readToolChoice(body, extra) ?? readFunctionChoice(body, extra),
    parallelToolCalls: readOptionalBoolean(body, 'parallel_tool_calls', ''),
    output: readOutput(body, extra),
    reasoning: readReasoning(body),
    sampling: readSampling(body),
    maxOutputTokens: readMaxTokens(body),
    stopSequences: readStop(body),
    stream: ctx.stream ?? readOptionalBoolean(body, 'stream', '') ?? false,
    streamUsage: streamOptions,
    endUser: readEndUser(body, extra),
    metadata: readMetadata(body, extra),
    serviceTier: readOptionalString(body, 'service_tier', ''),
    native: undefined,
  })
  if (body['stream'] === false) extra['stream'] = false
  if (request.stopSequences.length === 0 && isJsonArray(body['stop'])) extra['stop'] = []
  return withNative(request, body, extra)
}

function isAbsent(value: JsonValue | undefined): boolean {
  return value === undefined || value === null
}

function withNative(request: CanonicalRequest, body: JsonObject, extra: JsonObject): CanonicalRequest {
  const rest = untaken(body, known, { dialect, at: '' })
  for (const _ in extra)
    return { ...request, native: { dialect, fields: { ...rest?.fields, ...extra }, at: '' } }
  return rest === undefined ? request : { ...request, native: rest }
}

const toolKeys: ReadonlySet<string> = new Set(['type', 'function'])
const definitionKeys: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'strict'])

function readTools(list: readonly JsonValue[]): {
  readonly tools: readonly ToolDefinition[]
  readonly builtinTools: readonly OpaquePart[]
} {
  const tools: ToolDefinition[] = []
  const builtinTools: OpaquePart[] = []
  for (let index = 0; index < list.length; index += 1) {
    const at = `tools[${index}]`
    const wire = expectObject(list[index], at)
    if (readString(wire, 'type', at) !== 'function') {
      builtinTools.push({ type: 'opaque', native: { dialect, fields: wire, at } })
      continue
    }
    const tool = readFunction(readObject(wire, 'function', at), `${at}.function`)
    const rest = untaken(wire, toolKeys, { dialect, at })
    const inner = tool.native === undefined ? undefined : { function: tool.native.fields }
    const native = rest ?? (inner === undefined ? undefined : { dialect, fields: {}, at })
    tools.push(
      native === undefined
        ? tool
        : { ...tool, native: { ...native, fields: { ...native.fields, ...inner } } },
    )
  }
  return { tools, builtinTools }
}

function readFunction(value: JsonValue, at: string): ToolDefinition {
  const wire = expectObject(value, at)
  return present<ToolDefinition>({
    name: readString(wire, 'name', at),
    description: readOptionalString(wire, 'description', at),
    parameters: readOptionalObject(wire, 'parameters', at),
    strict: readOptionalBoolean(wire, 'strict', at),
    native: untaken(wire, definitionKeys, { dialect, at }),
  })
}

type Extra = Record<string, JsonValue | undefined>

function readToolChoice(body: JsonObject, extra: Extra): ToolChoice | undefined {
  const value = body['tool_choice']
  if (value === undefined || value === null) return undefined
  if (value === 'auto' || value === 'none' || value === 'required') return { type: value }
  if (!isJsonObject(value)) throw invalidField('tool_choice', 'it must be none, auto, required or an object')
  const called = value['function']
  if (value['type'] === 'function' && hasOnly(value, 2) && isJsonObject(called) && hasOnly(called, 1)) {
    return { type: 'tool', name: readString(called, 'name', 'tool_choice.function') }
  }
  extra['tool_choice'] = value
  return undefined
}

function hasOnly(object: JsonObject, count: number): boolean {
  return Object.keys(object).length === count
}

function readFunctionChoice(body: JsonObject, extra: Extra): ToolChoice | undefined {
  const value = body['function_call']
  if (value === undefined || value === null) return undefined
  if (value === 'auto' || value === 'none') return { type: value }
  const choice = expectObject(value, 'function_call')
  const name = readString(choice, 'name', 'function_call')
  if (hasOnly(choice, 1)) return { type: 'tool', name }
  extra['function_call'] = choice
  return undefined
}

const schemaKeys: ReadonlySet<string> = new Set(['name', 'description', 'schema', 'strict'])

function readOutput(body: JsonObject, extra: Extra): OutputFormat | undefined {
  const format = readOptionalObject(body, 'response_format', '')
  if (format === undefined) return undefined
  const type = readString(format, 'type', 'response_format')
  const keys = Object.keys(format).length
  if (type === 'text' && keys === 1) return { type: 'text' }
  if (type === 'json_object' && keys === 1) return { type: 'json' }
  const at = 'response_format.json_schema'
  if (type === 'json_schema' && keys === 2) {
    const wire = readObject(format, 'json_schema', 'response_format')
    const schema = readOptionalObject(wire, 'schema', at)
    if (schema !== undefined && untaken(wire, schemaKeys, { dialect, at }) === undefined) {
      return present<OutputFormat & { type: 'json-schema' }>({
        type: 'json-schema',
        name: readOptionalString(wire, 'name', at),
        description: readOptionalString(wire, 'description', at),
        schema,
        strict: readOptionalBoolean(wire, 'strict', at),
      })
    }
  }
  extra['response_format'] = format
  return undefined
}

function readReasoning(body: JsonObject): ReasoningOptions | undefined {
  const effort = readOptionalString(body, 'reasoning_effort', '')
  if (effort === undefined) return undefined
  return effort === 'none' ? { effort, disabled: true } : { effort }
}

function readSampling(body: JsonObject): SamplingOptions {
  return present<SamplingOptions>({
    temperature: readOptionalNumber(body, 'temperature', ''),
    topP: readOptionalNumber(body, 'top_p', ''),
    // Not OpenAI's; compatible vendors take it. Stays in `native` too, so that it is written only to them.
    topK: readOptionalNumber(body, 'top_k', ''),
    frequencyPenalty: readOptionalNumber(body, 'frequency_penalty', ''),
    presencePenalty: readOptionalNumber(body, 'presence_penalty', ''),
    seed: readOptionalInteger(body, 'seed', ''),
    candidates: readOptionalCount(body, 'n', ''),
    logprobs: readOptionalBoolean(body, 'logprobs', ''),
    topLogprobs: readOptionalCount(body, 'top_logprobs', ''),
  })
}

/** The API refuses both names at once. `max_tokens` stays in `native` as the spelling to go back to. */
function readMaxTokens(body: JsonObject): number | undefined {
  const newer = readOptionalCount(body, 'max_completion_tokens', '')
  const older = readOptionalCount(body, 'max_tokens', '')
  if (newer !== undefined && older !== undefined) {
    throw invalidField('max_tokens', 'max_completion_tokens is given too')
  }
  return newer ?? older
}

function readStop(body: JsonObject): readonly string[] {
  const stop = body['stop']
  if (stop === undefined || stop === null) return []
  if (typeof stop === 'string') return [stop]
  if (!isJsonArray(stop)) throw invalidField('stop', 'it must be a string or an array of strings')
  return stop.map((value, index) => expectString(value, `stop[${index}]`))
}

function readStreamOptions(body: JsonObject, extra: Extra): boolean | undefined {
  const options = readOptionalObject(body, 'stream_options', '')
  if (options === undefined) return undefined
  const { include_usage: _, ...rest } = options
  const usage = readOptionalBoolean(options, 'include_usage', 'stream_options')
  if (usage === undefined || Object.keys(rest).length > 0) extra['stream_options'] = rest
  return usage
}
