/**
 * Canonical → a Chat Completions request. Fields that only this dialect knows are put back; the fields that both
 * OpenAI dialects share pass; the rest goes by `droppable.ts`. Undefined values stand for absent fields.
 */
import type { CanonicalRequest, OpaquePart, ToolDefinition } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { callerField } from '../../caller-fields.ts'
import type { WriteRequestContext } from '../../dialect.ts'
import { cannotExpress, nativeFields } from '../../native.ts'
import { isJsonArray } from '../../reading.ts'
import { sharedOpenAiFields } from '../openai-fields.ts'
import { effortOf } from '../openai-reasoning.ts'
import { type MessageTarget, writeMessages } from './write-messages.ts'

const dialect = 'openai-chat'

type Wire = Record<string, JsonValue | undefined>

/** Native fields of openai-responses that are said otherwise here. */
const translated: ReadonlySet<string> = new Set([...sharedOpenAiFields, 'text', 'tool_choice'])

export function writeRequest(request: CanonicalRequest, ctx: WriteRequestContext): JsonObject {
  const target: MessageTarget = { dialect, downgrade: ctx.downgrade, request }
  const fromResponses = request.native?.dialect === 'openai-responses'
  const own = nativeFields(request.native, 'request', fromResponses ? { ...target, translated } : target)
  const body: Wire = { ...own, model: ctx.model, messages: writeMessages(request, target) }
  if (fromResponses) translateResponsesFields(request, body)
  const legacy = own['functions'] !== undefined
  writeTools(request, body, { target, legacy })
  writeSampling(request, body, target)
  writeReasoning(request, body, target)
  writeOutput(request, body)
  put(body, 'parallel_tool_calls', request.parallelToolCalls)
  const limitField = maxTokensField(own, ctx)
  if (typeof own['max_tokens'] === 'number' && limitField !== 'max_tokens') delete body['max_tokens']
  put(body, limitField, request.maxOutputTokens)
  if (request.stopSequences.length > 0) body['stop'] = request.stopSequences
  if (request.stream) body['stream'] = true
  // The API refuses stream options without a stream, and some vendors refuse them altogether.
  if (
    request.dialect === dialect ? request.streamUsage !== undefined : request.stream && request.streamUsage
  ) {
    const options = isJsonObject(own['stream_options']) ? own['stream_options'] : {}
    body['stream_options'] = { ...options, include_usage: request.streamUsage }
  }
  const bySafetyIdentifier = typeof body['safety_identifier'] === 'string' && body['user'] === undefined
  put(body, bySafetyIdentifier ? 'safety_identifier' : 'user', request.endUser)
  put(body, 'metadata', request.metadata)
  put(body, 'service_tier', request.serviceTier)
  renameFields(body, ctx)
  return body
}

/** As the provider demands, else as the caller wrote it, else by its current name. */
function maxTokensField(own: JsonObject, ctx: WriteRequestContext): string {
  const fallback = typeof own['max_tokens'] === 'number' ? 'max_tokens' : 'max_completion_tokens'
  return ctx.quirks?.maxTokensField ?? fallback
}

function renameFields(body: Wire, ctx: WriteRequestContext): void {
  const names = ctx.quirks?.renameFields
  if (names === undefined) return
  for (const [field, name] of Object.entries(names)) {
    if (!Object.hasOwn(body, field)) continue
    body[name] = body[field]
    delete body[field]
  }
}

function put(body: Wire, key: string, value: JsonValue | undefined): void {
  if (value !== undefined) body[key] = value
}

/** What openai-responses keeps in `native` and Chat Completions says at the top. */
function translateResponsesFields(request: CanonicalRequest, body: Wire): void {
  const fields = request.native?.fields ?? {}
  for (const key of sharedOpenAiFields) {
    if (fields[key] !== null) put(body, key, fields[key])
  }
  const { text } = fields
  if (isJsonObject(text)) {
    for (const key in text) {
      if (key !== 'verbosity') throw cannotExpress(`text.${key}`, dialect, 'it is particular to another API')
    }
    put(body, 'verbosity', text['verbosity'])
  }
  const choice = fields['tool_choice']
  if (isJsonObject(choice)) body['tool_choice'] = translateToolChoice(choice)
}

/** `allowed_tools` nests one level deeper here, and so does each function in it. */
function translateToolChoice(choice: JsonObject): JsonObject {
  const { type, tools, ...rest } = choice
  if (type !== 'allowed_tools' || !isJsonArray(tools)) {
    throw cannotExpress('tool_choice', dialect, 'it names a tool that only another API has')
  }
  const named = tools.map((tool, index) => {
    const { type: kind, ...called } = isJsonObject(tool) ? tool : {}
    if (kind === 'function') return { type: kind, function: called }
    throw cannotExpress(`tool_choice.tools[${index}]`, dialect, 'only another API has this tool')
  })
  return { type, allowed_tools: { ...rest, tools: named } }
}

interface ToolsPlace {
  readonly target: MessageTarget
  /** The caller used `functions` and `function_call`. */
  readonly legacy: boolean
}

function writeTools(request: CanonicalRequest, body: Wire, place: ToolsPlace): void {
  const { target, legacy } = place
  const choice = request.toolChoice
  if (legacy) {
    const functions = request.tools.map((tool) =>
      writeFunction(tool, nativeFields(tool.native, 'tool', target)),
    )
    body['functions'] = functions.length > 0 ? functions : undefined
    if (choice !== undefined)
      body['function_call'] = choice.type === 'tool' ? { name: choice.name } : choice.type
    return
  }
  const tools: JsonObject[] = request.tools.map((tool) => {
    const native = nativeFields(tool.native, 'tool', target)
    const inner = isJsonObject(native['function']) ? native['function'] : {}
    return { ...native, type: 'function', function: writeFunction(tool, inner) }
  })
  for (const tool of request.builtinTools) tools.push(writeBuiltin(tool, request))
  if (tools.length > 0) body['tools'] = tools
  if (choice === undefined) return
  body['tool_choice'] =
    choice.type === 'tool' ? { type: 'function', function: { name: choice.name } } : choice.type
}

function writeFunction(tool: ToolDefinition, native: JsonObject): JsonObject {
  const wire: Wire = { ...native, name: tool.name }
  put(wire, 'description', tool.description)
  put(wire, 'parameters', tool.parameters)
  put(wire, 'strict', tool.strict)
  return wire
}

/** Custom tools are refused too: their calls and results have no common form. */
function writeBuiltin(tool: OpaquePart, request: CanonicalRequest): JsonObject {
  const { dialect: source, fields, at } = tool.native
  if (source === dialect) return fields
  throw cannotExpress(at ?? callerField(request, 'tools'), dialect, 'only another API has this tool')
}

function writeSampling(request: CanonicalRequest, body: Wire, target: MessageTarget): void {
  const { sampling } = request
  put(body, 'temperature', sampling.temperature)
  put(body, 'top_p', sampling.topP)
  put(body, 'frequency_penalty', sampling.frequencyPenalty)
  put(body, 'presence_penalty', sampling.presencePenalty)
  put(body, 'seed', sampling.seed)
  put(body, 'n', sampling.candidates)
  put(body, 'logprobs', sampling.logprobs)
  put(body, 'top_logprobs', sampling.topLogprobs)
  if (sampling.topK === undefined) return
  if (request.dialect === dialect) body['top_k'] = sampling.topK
  else
    target.downgrade({
      field: callerField(request, 'topK'),
      reason: 'Chat Completions has no top-k sampling',
    })
}

function writeReasoning(request: CanonicalRequest, body: Wire, target: MessageTarget): void {
  const { reasoning } = request
  if (reasoning === undefined) return
  nativeFields(reasoning.native, 'reasoning', target)
  const effort = effortOf(reasoning, request, target)
  put(body, 'reasoning_effort', effort)
  if (reasoning.visible === true) {
    const field = callerField(request, 'reasoningVisible')
    target.downgrade({ field, reason: 'whether reasoning is shown is up to the provider' })
  }
}

function writeOutput(request: CanonicalRequest, body: Wire): void {
  const { output } = request
  if (output === undefined) return
  if (output.type === 'text') body['response_format'] = { type: 'text' }
  else if (output.type === 'json') body['response_format'] = { type: 'json_object' }
  else {
    const { type: _, name, ...rest } = output
    const fallback = request.dialect === dialect ? {} : { name: 'response' }
    body['response_format'] = {
      type: 'json_schema',
      json_schema: { ...fallback, ...(name === undefined ? {} : { name }), ...rest },
    }
  }
}
