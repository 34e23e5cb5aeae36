/**
 * Canonical → a Responses request. A leading system message becomes `instructions`. Nothing is stored at the
 * provider unless the caller asked for it in this dialect's or Chat Completions' own words, because callers of
 * other dialects do not expect it.
 */
import type { CanonicalRequest, Message, OpaquePart, ToolDefinition } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { type CanonicalOption, callerField } from '../../caller-fields.ts'
import type { WriteRequestContext } from '../../dialect.ts'
import { cannotExpress, nativeFields } from '../../native.ts'
import { isJsonArray } from '../../reading.ts'
import { sharedOpenAiFields } from '../openai-fields.ts'
import { effortOf } from '../openai-reasoning.ts'
import { logprobsInclude } from './read-request.ts'
import { type InputTarget, writeInput } from './write-items.ts'

const dialect = 'openai-responses'

type Wire = Record<string, JsonValue | undefined>

/** Native fields of openai-chat that are said otherwise here. */
const translated: ReadonlySet<string> = new Set([
  ...sharedOpenAiFields,
  'verbosity',
  'tool_choice',
  'stream_options',
])

export function writeRequest(request: CanonicalRequest, ctx: WriteRequestContext): JsonObject {
  const target: InputTarget = { dialect, downgrade: ctx.downgrade, request }
  const isOwn = request.dialect === dialect
  const fromChat = request.native?.dialect === 'openai-chat'
  const own = nativeFields(request.native, 'request', fromChat ? { ...target, translated } : target)
  const body: Wire = { ...own, model: ctx.model }
  if (!isOwn) body['store'] = false
  if (fromChat) translateChatFields(request, body)
  const instructions = instructionsOf(request, isOwn)
  if (instructions !== undefined) {
    nativeFields(instructions.native, 'message', target)
    body['instructions'] = textOf(instructions)
  }
  const input = writeInput(request.messages, instructions, target)
  if (input.length > 0) body['input'] = input
  writeTools(request, body, target)
  writeSampling(request, body, target)
  writeReasoning(request, body, target)
  writeText(request, body)
  put(body, 'parallel_tool_calls', request.parallelToolCalls)
  put(body, 'max_output_tokens', request.maxOutputTokens)
  if (request.stream) body['stream'] = true
  const bySafetyIdentifier = typeof body['safety_identifier'] === 'string' && body['user'] === undefined
  put(body, bySafetyIdentifier ? 'safety_identifier' : 'user', request.endUser)
  put(body, 'metadata', request.metadata)
  put(body, 'service_tier', request.serviceTier)
  return body
}

function put(body: Wire, key: string, value: JsonValue | undefined): void {
  if (value !== undefined) body[key] = value
}

/** What openai-chat keeps in `native` and this API says too. */
function translateChatFields(request: CanonicalRequest, body: Wire): void {
  const fields = request.native?.fields ?? {}
  for (const key of sharedOpenAiFields) {
    if (fields[key] !== null) put(body, key, fields[key])
  }
  if (typeof fields['verbosity'] === 'string') body['text'] = { verbosity: fields['verbosity'] }
  const options = fields['stream_options']
  if (isJsonObject(options) && Object.keys(options).length > 0) body['stream_options'] = options
  const choice = fields['tool_choice']
  if (isJsonObject(choice)) body['tool_choice'] = translateToolChoice(choice)
}

/** `allowed_tools` nests one level less here, and so does each function in it. */
function translateToolChoice(choice: JsonObject): JsonObject {
  const { type, allowed_tools: allowed } = choice
  const tools = isJsonObject(allowed) ? allowed['tools'] : undefined
  if (type !== 'allowed_tools' || !isJsonObject(allowed) || !isJsonArray(tools)) {
    throw cannotExpress('tool_choice', dialect, 'it names a tool that only another API has')
  }
  const named = tools.map((tool, index) => {
    const called = isJsonObject(tool) && tool['type'] === 'function' ? tool['function'] : undefined
    if (isJsonObject(called)) return { type: 'function', ...called }
    throw cannotExpress(
      `tool_choice.allowed_tools.tools[${index}]`,
      dialect,
      'only another API has this tool',
    )
  })
  return { type, ...allowed, tools: named }
}

/** The message that was, or may become, `instructions`. */
function instructionsOf(request: CanonicalRequest, isOwn: boolean): Message | undefined {
  const [first] = request.messages
  if (first?.role !== 'system') return undefined
  const [only, ...others] = first.parts
  if (only?.type !== 'text' || others.length > 0) return undefined
  if (isOwn) return first.native?.fields['instructions'] === true ? first : undefined
  return only.native === undefined && first.name === undefined ? first : undefined
}

function textOf(message: Message): string {
  const [part] = message.parts
  return part?.type === 'text' ? part.text : ''
}

function writeTools(request: CanonicalRequest, body: Wire, target: InputTarget): void {
  const tools: JsonObject[] = request.tools.map((tool) => writeFunction(tool, target))
  for (const tool of request.builtinTools) tools.push(writeBuiltin(tool, request))
  if (tools.length > 0) body['tools'] = tools
  const choice = request.toolChoice
  if (choice === undefined) return
  body['tool_choice'] = choice.type === 'tool' ? { type: 'function', name: choice.name } : choice.type
}

/** This API checks arguments strictly unless told not to; the others do the opposite. */
function writeFunction(tool: ToolDefinition, target: InputTarget): JsonObject {
  const own = nativeFields(tool.native, 'tool', target)
  const wire: Wire = { type: 'function', ...own, name: tool.name }
  const isOwn = target.request.dialect === dialect
  put(wire, 'description', tool.description)
  put(wire, 'parameters', tool.parameters ?? (isOwn ? undefined : { type: 'object', properties: {} }))
  put(wire, 'strict', tool.strict ?? (isOwn ? undefined : false))
  return wire
}

/** Custom tools are refused too: their calls and results have no common form. */
function writeBuiltin(tool: OpaquePart, request: CanonicalRequest): JsonObject {
  const { dialect: source, fields, at } = tool.native
  if (source === dialect) return fields
  throw cannotExpress(at ?? callerField(request, 'tools'), dialect, 'only another API has this tool')
}

/** Sampling options that this API lacks, dropped with a word. */
const missingOptions: readonly Extract<CanonicalOption, keyof CanonicalRequest['sampling']>[] = [
  'topK',
  'seed',
  'frequencyPenalty',
  'presencePenalty',
]

function writeSampling(request: CanonicalRequest, body: Wire, target: InputTarget): void {
  const { sampling } = request
  put(body, 'temperature', sampling.temperature)
  put(body, 'top_p', sampling.topP)
  put(body, 'top_logprobs', sampling.topLogprobs)
  if (sampling.logprobs === true && request.dialect !== dialect) body['include'] = [logprobsInclude]
  for (const option of missingOptions) {
    const value = sampling[option]
    if (value === undefined || (value === 0 && option !== 'seed')) continue
    target.downgrade({
      field: callerField(request, option),
      reason: 'the Responses API has no such sampling option',
    })
  }
  if ((sampling.candidates ?? 1) > 1) {
    throw cannotExpress(callerField(request, 'candidates'), dialect, 'it gives one answer')
  }
  if (request.stopSequences.length > 0) {
    throw cannotExpress(callerField(request, 'stopSequences'), dialect, 'it has no stop sequences')
  }
}

function writeReasoning(request: CanonicalRequest, body: Wire, target: InputTarget): void {
  const { reasoning } = request
  if (reasoning === undefined) return
  const own = nativeFields(reasoning.native, 'reasoning', target)
  const wire: Wire = { ...own }
  put(wire, 'effort', effortOf(reasoning, request, target))
  if (reasoning.visible === true && request.dialect !== dialect) wire['summary'] = 'auto'
  if (request.dialect === dialect || Object.keys(wire).length > 0) body['reasoning'] = wire
}

function writeText(request: CanonicalRequest, body: Wire): void {
  const { output } = request
  if (output === undefined) return
  const text = isJsonObject(body['text']) ? body['text'] : {}
  if (output.type === 'text') body['text'] = { ...text, format: { type: 'text' } }
  else if (output.type === 'json') body['text'] = { ...text, format: { type: 'json_object' } }
  else {
    const { type: _, name, ...rest } = output
    const named = name ?? (request.dialect === dialect ? undefined : 'response')
    const format: Wire = { type: 'json_schema', ...rest }
    put(format, 'name', named)
    if (rest.strict === undefined && request.dialect !== dialect) format['strict'] = false
    body['text'] = { ...text, format }
  }
}
