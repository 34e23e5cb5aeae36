/** Converse and ConverseStream request → canonical. The model and the choice to stream stand in the path. */
import type {
  CanonicalRequest,
  Message,
  Native,
  OpaquePart,
  OutputFormat,
  ReasoningOptions,
  ToolChoice,
  ToolDefinition,
} from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { ReadRequestContext } from '../../dialect.ts'
import { keepNested } from '../../nested-fields.ts'
import {
  expectObject,
  expectString,
  invalidField,
  isJsonArray,
  missingField,
  parseJson,
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
import { readBlocks } from './content-reader.ts'

const dialect = 'bedrock-converse'
const inference = 'inferenceConfig'
const additional = 'additionalModelRequestFields'
const textFormat = 'outputConfig.textFormat'
const structure = 'outputConfig.textFormat.structure'
const jsonSchema = 'outputConfig.textFormat.structure.jsonSchema'

/** The objects that an output format is wrapped in, inner ones first. */
export const outputPaths: readonly string[] = [jsonSchema, structure, textFormat, 'outputConfig']
/** Where the text of the schema is kept as it was written. */
export const schemaPath = 'outputConfig.textFormat.structure.jsonSchema.schema'

const requestFields: ReadonlySet<string> = new Set([
  'messages',
  'system',
  inference,
  'toolConfig',
  additional,
  'requestMetadata',
  'serviceTier',
  'outputConfig',
])

/** Throws `invalidField` or `missingField` with the path of the field. */
export function readRequest(body: JsonObject, ctx: ReadRequestContext): CanonicalRequest {
  if (ctx.model === undefined) throw missingField('modelId')
  const config = readOptionalObject(body, inference, '') ?? {}
  const more = readOptionalObject(body, additional, '') ?? {}
  const toolConfig = readOptionalObject(body, 'toolConfig', '') ?? {}
  const choice = readOptionalObject(toolConfig, 'toolChoice', 'toolConfig')
  const stops = readOptionalArray(config, 'stopSequences', inference) ?? []
  return present<CanonicalRequest>({
    dialect,
    model: ctx.model,
    messages: [...readSystem(body), ...readMessages(body)],
    ...readTools(toolConfig),
    toolChoice: choice === undefined ? undefined : readToolChoice(choice),
    output: readOutput(body),
    reasoning: readReasoning(more),
    sampling: present({
      temperature: readOptionalNumber(config, 'temperature', inference),
      topP: readOptionalNumber(config, 'topP', inference),
      topK: topKOf(more),
    }),
    maxOutputTokens: readOptionalCount(config, 'maxTokens', inference),
    stopSequences: stops.map((value, index) => expectString(value, `${inference}.stopSequences[${index}]`)),
    stream: ctx.stream ?? false,
    metadata: readMetadata(body),
    serviceTier: readOptionalString(readOptionalObject(body, 'serviceTier', '') ?? {}, 'type', 'serviceTier'),
    native: readNative(body, { config, more, toolConfig }),
  })
}

function readMetadata(body: JsonObject): Readonly<Record<string, string>> | undefined {
  const metadata = readOptionalObject(body, 'requestMetadata', '')
  if (metadata === undefined) return undefined
  const out = Object.create(null) as Record<string, string>
  for (const key in metadata) out[key] = expectString(metadata[key], `requestMetadata.${key}`)
  return out
}

function readSystem(body: JsonObject): Message[] {
  const system = readOptionalArray(body, 'system', '')
  return system === undefined ? [] : [{ role: 'system', parts: readBlocks(system, 'system'), at: 'system' }]
}

const messageFields: ReadonlySet<string> = new Set(['role', 'content'])

function readMessages(body: JsonObject): Message[] {
  return readArray(body, 'messages', '').flatMap((value, index) => {
    const at = `messages[${index}]`
    const message = expectObject(value, at)
    const role = readString(message, 'role', at)
    if (role !== 'user' && role !== 'assistant')
      throw invalidField(`${at}.role`, 'it must be user or assistant')
    const parts = readBlocks(readArray(message, 'content', at), `${at}.content`)
    const result = parts.findIndex((part) => part.type === 'tool-result')
    if (role === 'assistant' && result >= 0) {
      throw invalidField(`${at}.content[${result}]`, 'tool results belong to the user')
    }
    return splitToolResults({
      dialect,
      role,
      parts,
      native: untaken(message, messageFields, { dialect, at }),
      at,
    })
  })
}

const toolFields: ReadonlySet<string> = new Set(['name', 'description', 'inputSchema', 'strict'])

function readTools(toolConfig: JsonObject): { tools: ToolDefinition[]; builtinTools: OpaquePart[] } {
  const tools: ToolDefinition[] = []
  const builtinTools: OpaquePart[] = []
  let last: 'tool' | 'other' = 'other'
  for (const [index, value] of (readOptionalArray(toolConfig, 'tools', 'toolConfig') ?? []).entries()) {
    const at = `toolConfig.tools[${index}]`
    const wire = expectObject(value, at)
    const before = tools.at(-1)
    if (isJsonObject(wire['toolSpec']) && Object.keys(wire).length === 1) {
      tools.push(readTool(wire['toolSpec'], `${at}.toolSpec`))
      last = 'tool'
    } else if (isJsonObject(wire['cachePoint']) && last === 'tool' && before !== undefined) {
      tools[tools.length - 1] = withCachePoint(before, wire['cachePoint'], at)
      last = 'other'
    } else {
      builtinTools.push({ type: 'opaque', native: { dialect, fields: wire, at } })
      last = 'other'
    }
  }
  return { tools, builtinTools }
}

function withCachePoint(tool: ToolDefinition, cachePoint: JsonObject, at: string): ToolDefinition {
  const native = withNote(tool.native, { cachePoint }, { dialect, at })
  return native === undefined ? tool : { ...tool, native }
}

function readTool(spec: JsonObject, at: string): ToolDefinition {
  const schema = readObject(spec, 'inputSchema', at)
  return present<ToolDefinition>({
    name: readString(spec, 'name', at),
    description: readOptionalString(spec, 'description', at),
    parameters: readObject(schema, 'json', `${at}.inputSchema`),
    strict: readOptionalBoolean(spec, 'strict', at),
    native: withNote(untaken(spec, toolFields, { dialect, at }), schemaRest(schema), { dialect, at }),
  })
}

function schemaRest(schema: JsonObject): JsonObject | undefined {
  const { json: _json, ...inputSchema } = schema
  return Object.keys(inputSchema).length === 0 ? undefined : { inputSchema }
}

function readToolChoice(choice: JsonObject): ToolChoice {
  const { auto, any, tool } = choice
  if (isJsonObject(tool))
    return { type: 'tool', name: readString(tool, 'name', 'toolConfig.toolChoice.tool') }
  if (isJsonObject(any)) return { type: 'required' }
  if (isJsonObject(auto)) return { type: 'auto' }
  throw invalidField('toolConfig.toolChoice', 'it must hold auto, any or tool')
}

/** True where the canonical choice says all: one member, with nothing but a name. */
function isPlainChoice(choice: JsonValue | undefined): boolean {
  if (!isJsonObject(choice) || Object.keys(choice).length !== 1) return false
  const { auto, any, tool } = choice
  if (isJsonObject(tool)) return Object.keys(tool).length === 1
  return isJsonObject(auto ?? any) && Object.keys(Object(auto ?? any)).length === 0
}

/** The schema is JSON text here; the text as it was written stays in `native`. */
function readOutput(body: JsonObject): OutputFormat | undefined {
  const config = readOptionalObject(body, 'outputConfig', '') ?? {}
  const format = readOptionalObject(config, 'textFormat', 'outputConfig')
  if (format === undefined) return undefined
  if (readString(format, 'type', textFormat) !== 'json_schema') {
    throw invalidField(`${textFormat}.type`, 'it must be json_schema')
  }
  const at = `${textFormat}.structure.jsonSchema`
  const definition = readObject(
    readObject(format, 'structure', textFormat),
    'jsonSchema',
    `${textFormat}.structure`,
  )
  const schema = parseJson(readString(definition, 'schema', at))
  if (!isJsonObject(schema)) throw invalidField(`${at}.schema`, 'it must be the text of a JSON object')
  return present<OutputFormat & { type: 'json-schema' }>({
    type: 'json-schema',
    schema,
    name: readOptionalString(definition, 'name', at),
    description: readOptionalString(definition, 'description', at),
  })
}

/** Fields of Anthropic's models, which other providers have words for. */
function topKOf(more: JsonObject): number | undefined {
  const topK = more['top_k']
  return typeof topK === 'number' && Number.isInteger(topK) && topK >= 0 ? topK : undefined
}

function readReasoning(more: JsonObject): ReasoningOptions | undefined {
  const thinking = more['thinking']
  if (!isPlainThinking(thinking)) return undefined
  if (thinking['type'] === 'disabled') return { disabled: true }
  const budget = thinking['budget_tokens']
  return typeof budget === 'number' ? { budgetTokens: budget } : undefined
}

/** `{type: enabled, budget_tokens}` or `{type: disabled}`, and nothing else. */
function isPlainThinking(thinking: JsonValue | undefined): thinking is JsonObject {
  if (!isJsonObject(thinking)) return false
  const size = Object.keys(thinking).length
  const budget = thinking['budget_tokens']
  if (thinking['type'] === 'disabled') return size === 1
  return thinking['type'] === 'enabled' && size === 2 && Number.isSafeInteger(budget) && Number(budget) > 0
}

interface Sources {
  readonly config: JsonObject
  readonly more: JsonObject
  readonly toolConfig: JsonObject
}

const inferenceFields: ReadonlySet<string> = new Set(['maxTokens', 'temperature', 'topP', 'stopSequences'])
const toolConfigFields: ReadonlySet<string> = new Set(['tools', 'toolChoice'])
const tierFields: ReadonlySet<string> = new Set(['type'])

function readNative(body: JsonObject, { config, more, toolConfig }: Sources): Native | undefined {
  const fields: Record<string, JsonValue | undefined> = {}
  const given = (key: string, value: JsonObject): JsonObject | undefined =>
    isJsonObject(body[key]) ? value : undefined
  keepNested(fields, given(inference, config), { path: inference, known: inferenceFields })
  keepNested(fields, given('toolConfig', toolConfig), { path: 'toolConfig', known: toolConfigFields })
  const { toolChoice } = toolConfig
  if (isJsonObject(toolChoice) && !isPlainChoice(toolChoice)) fields['toolConfig.toolChoice'] = toolChoice
  const known = new Set<string>()
  if (topKOf(more) !== undefined) known.add('top_k')
  if (isPlainThinking(more['thinking'])) known.add('thinking')
  keepNested(fields, given(additional, more), { path: additional, known })
  const tier = body['serviceTier']
  keepNested(fields, isJsonObject(tier) ? tier : undefined, { path: 'serviceTier', known: tierFields })
  keepOutput(fields, body['outputConfig'])
  if (isJsonArray(body['system']) && body['system'].length === 0) fields['system'] = body['system']
  const rest = untaken(body, requestFields, { dialect, at: '' })
  if (Object.keys(fields).length === 0) return rest
  return { dialect, fields: { ...rest?.fields, ...fields }, at: '' }
}

const outputMembers: readonly (readonly [path: string, member: string, known: ReadonlySet<string>])[] = [
  ['outputConfig', 'textFormat', new Set(['textFormat'])],
  [textFormat, 'structure', new Set(['type', 'structure'])],
  [structure, 'jsonSchema', new Set(['jsonSchema'])],
  [jsonSchema, 'schema', new Set(['schema', 'name', 'description'])],
]

/** What stands beside the schema at every level, and the schema's own text. */
function keepOutput(fields: Record<string, JsonValue | undefined>, config: JsonValue | undefined): void {
  let level = config
  for (const [path, member, known] of outputMembers) {
    if (!isJsonObject(level)) return
    keepNested(fields, level, { path, known })
    level = level[member]
  }
  if (typeof level === 'string') fields[schemaPath] = level
}
