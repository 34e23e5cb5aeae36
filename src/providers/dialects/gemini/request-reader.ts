/** Gemini generateContent request → canonical. The model stands in the path. */
import type {
  CanonicalRequest,
  Message,
  Native,
  OpaquePart,
  OutputFormat,
  ReasoningOptions,
  SamplingOptions,
  ToolChoice,
  ToolDefinition,
} from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import type { ReadRequestContext } from '../../dialect.ts'
import { keepNested } from '../../nested-fields.ts'
import {
  expectObject,
  expectString,
  invalidField,
  isJsonArray,
  missingField,
  present,
  readArray,
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
import { splitToolResults, withNote } from '../../tool-turns.ts'
import { type CallIds, callIds, requestPrefix } from './call-ids.ts'
import { camelCased, readNested } from './fields.ts'
import { readParts } from './part-reader.ts'
import { jsonSchemaOf } from './schema.ts'

const dialect = 'gemini'
const configPath = 'generationConfig'
const callingPath = 'toolConfig.functionCallingConfig'
const thinkingPath = 'generationConfig.thinkingConfig'

const requestFields: ReadonlySet<string> = new Set([
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'labels',
])

/** Throws `invalidField` or `missingField` with the path of the field, in camelCase. */
export function readRequest(wire: JsonObject, ctx: ReadRequestContext): CanonicalRequest {
  if (ctx.model === undefined) throw missingField('model')
  const body = camelCased(wire, '')
  const config = readNested(body, configPath, '') ?? {}
  const toolConfig = readNested(body, 'toolConfig', '')
  const calling =
    toolConfig === undefined ? undefined : readNested(toolConfig, 'functionCallingConfig', 'toolConfig')
  const stops = readOptionalArray(config, 'stopSequences', configPath) ?? []
  const labels = readLabels(body)
  return present<CanonicalRequest>({
    dialect,
    model: ctx.model,
    messages: [...readSystem(body), ...readContents(body)],
    ...readTools(body),
    toolChoice: calling === undefined ? undefined : readToolChoice(calling),
    output: readOutput(config),
    reasoning: readReasoning(config),
    sampling: readSampling(config),
    maxOutputTokens: readOptionalCount(config, 'maxOutputTokens', configPath),
    stopSequences: stops.map((value, index) => expectString(value, `${configPath}.stopSequences[${index}]`)),
    stream: ctx.stream ?? false,
    metadata: labels,
    native: readNative({ body, config, toolConfig, calling, labels }),
  })
}

function readLabels(body: JsonObject): Readonly<Record<string, string>> | undefined {
  const labels = readOptionalObject(body, 'labels', '')
  if (labels === undefined) return undefined
  const out = Object.create(null) as Record<string, string>
  for (const key in labels) out[key] = expectString(labels[key], `labels.${key}`)
  return out
}

function readSampling(config: JsonObject): SamplingOptions {
  return present<SamplingOptions>({
    temperature: readOptionalNumber(config, 'temperature', configPath),
    topP: readOptionalNumber(config, 'topP', configPath),
    topK: readOptionalNumber(config, 'topK', configPath),
    frequencyPenalty: readOptionalNumber(config, 'frequencyPenalty', configPath),
    presencePenalty: readOptionalNumber(config, 'presencePenalty', configPath),
    seed: readOptionalInteger(config, 'seed', configPath),
    candidates: readOptionalCount(config, 'candidateCount', configPath),
    logprobs: readOptionalBoolean(config, 'responseLogprobs', configPath),
    topLogprobs: readOptionalCount(config, 'logprobs', configPath),
  })
}

const contentFields: ReadonlySet<string> = new Set(['role', 'parts'])

function readSystem(body: JsonObject): Message[] {
  const system = readNested(body, 'systemInstruction', '')
  if (system === undefined) return []
  const at = 'systemInstruction'
  const ids = callIds(requestPrefix)
  const parts = readParts(readOptionalArray(system, 'parts', at) ?? [], `${at}.parts`, ids)
  const native = untaken(system, new Set(['parts']), { dialect, at })
  return [present<Message>({ role: 'system', parts, native, at })]
}

const roles: ReadonlyMap<string, 'user' | 'assistant'> = new Map([
  ['user', 'user'],
  ['function', 'user'],
  ['model', 'assistant'],
])

function readContents(body: JsonObject): Message[] {
  const ids = callIds(requestPrefix)
  return readArray(body, 'contents', '').flatMap((value, index) => {
    const at = `contents[${index}]`
    return readContent(camelCased(expectObject(value, at), at), at, ids)
  })
}

function readContent(content: JsonObject, at: string, ids: CallIds): Message[] {
  const wireRole = readOptionalString(content, 'role', at)
  const role = roles.get(wireRole ?? 'user')
  if (role === undefined) throw invalidField(`${at}.role`, 'it must be user or model')
  const parts = readParts(readOptionalArray(content, 'parts', at) ?? [], `${at}.parts`, ids)
  const results = parts.findIndex((part) => part.type === 'tool-result')
  if (role === 'assistant' && results >= 0) {
    throw invalidField(`${at}.parts[${results}]`, 'function responses belong to the user')
  }
  let native = untaken(content, contentFields, { dialect, at })
  // The role as it was spelled, under a name that the canonical form carries.
  if (wireRole === undefined || wireRole === 'function')
    native = withNote(native, { parts: wireRole ?? '' }, { dialect, at })
  return splitToolResults({ dialect, role, parts, native, at })
}

function readTools(body: JsonObject): { tools: ToolDefinition[]; builtinTools: OpaquePart[] } {
  const tools: ToolDefinition[] = []
  const builtinTools: OpaquePart[] = []
  for (const [index, value] of (readOptionalArray(body, 'tools', '') ?? []).entries()) {
    const at = `tools[${index}]`
    const tool = camelCased(expectObject(value, at), at)
    const { functionDeclarations: _declarations, ...others } = tool
    for (const [position, declaration] of (
      readOptionalArray(tool, 'functionDeclarations', at) ?? []
    ).entries()) {
      tools.push(readDeclaration(declaration, `${at}.functionDeclarations[${position}]`))
    }
    if (Object.keys(others).length > 0)
      builtinTools.push({ type: 'opaque', native: { dialect, fields: others, at } })
  }
  return { tools, builtinTools }
}

const declarationFields: ReadonlySet<string> = new Set(['name', 'description', 'parametersJsonSchema'])

/** `native` is always there: its path says which tool the declaration belongs to. */
function readDeclaration(value: JsonValue, at: string): ToolDefinition {
  const declaration = camelCased(expectObject(value, at), at)
  const schema = readOptionalObject(declaration, 'parametersJsonSchema', at)
  const openApi = readOptionalObject(declaration, 'parameters', at)
  return present<ToolDefinition>({
    name: readString(declaration, 'name', at),
    description: readOptionalString(declaration, 'description', at),
    parameters: schema ?? (openApi === undefined ? undefined : jsonSchemaOf(openApi, `${at}.parameters`)),
    native: untaken(declaration, declarationFields, { dialect, at }) ?? { dialect, fields: {}, at },
  })
}

function readToolChoice(calling: JsonObject): ToolChoice | undefined {
  const mode = readOptionalString(calling, 'mode', callingPath)
  const [only, ...others] = readOptionalArray(calling, 'allowedFunctionNames', callingPath) ?? []
  if (mode === 'NONE') return { type: 'none' }
  if (mode !== 'ANY') return mode === undefined ? undefined : { type: 'auto' }
  return typeof only === 'string' && others.length === 0 ? { type: 'tool', name: only } : { type: 'required' }
}

function readOutput(config: JsonObject): OutputFormat | undefined {
  const type = readOptionalString(config, 'responseMimeType', configPath)
  const schema = readOptionalObject(config, 'responseJsonSchema', configPath)
  const openApi = readOptionalObject(config, 'responseSchema', configPath)
  if (schema !== undefined && openApi !== undefined) {
    throw invalidField(`${configPath}.responseSchema`, 'responseJsonSchema is given too')
  }
  if (type === undefined && (schema ?? openApi) !== undefined)
    throw missingField(`${configPath}.responseMimeType`)
  if (type === 'text/plain') return { type: 'text' }
  if (type !== 'application/json') return undefined
  if (schema !== undefined) return { type: 'json-schema', schema }
  if (openApi === undefined) return { type: 'json' }
  return { type: 'json-schema', schema: jsonSchemaOf(openApi, `${configPath}.responseSchema`) }
}

const levels: ReadonlyMap<string, string> = new Map([
  ['MINIMAL', 'minimal'],
  ['LOW', 'low'],
  ['MEDIUM', 'medium'],
  ['HIGH', 'high'],
])
const thinkingFields: ReadonlySet<string> = new Set(['includeThoughts'])

function readReasoning(config: JsonObject): ReasoningOptions | undefined {
  const thinking = readNested(config, 'thinkingConfig', configPath)
  if (thinking === undefined) return undefined
  const budget = readOptionalInteger(thinking, 'thinkingBudget', thinkingPath)
  const level = readOptionalString(thinking, 'thinkingLevel', thinkingPath)
  const known = new Set(thinkingFields)
  if (budget !== undefined && budget >= 0) known.add('thinkingBudget')
  if (level !== undefined && levels.has(level)) known.add('thinkingLevel')
  return present<ReasoningOptions>({
    effort: level === undefined ? undefined : levels.get(level.toUpperCase()),
    budgetTokens: budget !== undefined && budget > 0 ? budget : undefined,
    disabled: budget === 0 ? true : undefined,
    visible: readOptionalBoolean(thinking, 'includeThoughts', thinkingPath),
    native: untaken(thinking, known, { dialect, at: thinkingPath }) ?? {
      dialect,
      fields: {},
      at: thinkingPath,
    },
  })
}

interface Sources {
  readonly body: JsonObject
  readonly config: JsonObject
  readonly toolConfig: JsonObject | undefined
  readonly calling: JsonObject | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
}

const configFields: ReadonlySet<string> = new Set([
  'temperature',
  'topP',
  'topK',
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'candidateCount',
  'responseLogprobs',
  'logprobs',
  'maxOutputTokens',
  'stopSequences',
  'thinkingConfig',
])
const schemaFields: readonly string[] = ['responseMimeType', 'responseJsonSchema']
const noFields: ReadonlySet<string> = new Set()
const toolConfigFields: ReadonlySet<string> = new Set(['functionCallingConfig'])

function readNative({ body, config, toolConfig, calling }: Sources): Native | undefined {
  const fields: Record<string, JsonValue | undefined> = {}
  const output = readOutput(config)
  keepNested(fields, body[configPath] === undefined || body[configPath] === null ? undefined : config, {
    path: configPath,
    known: output === undefined ? configFields : new Set([...configFields, ...schemaFields]),
  })
  keepNested(fields, toolConfig, { path: 'toolConfig', known: toolConfigFields })
  keepNested(fields, calling, { path: callingPath, known: callingKnown(calling) })
  const tools = body['tools']
  if (isJsonArray(tools) && tools.length === 0) fields['tools'] = tools
  const rest = untaken(body, requestFields, { dialect, at: '' })
  if (Object.keys(fields).length === 0) return rest
  return { dialect, fields: { ...rest?.fields, ...fields }, at: '' }
}

const choices: ReadonlySet<JsonValue | undefined> = new Set(['AUTO', 'ANY', 'NONE'])

/** The tool choice carries the three plain modes, and the one name of a forced tool. */
function callingKnown(calling: JsonObject | undefined): ReadonlySet<string> {
  if (calling === undefined || !choices.has(calling['mode'])) return noFields
  return readToolChoice(calling)?.type === 'tool'
    ? new Set(['mode', 'allowedFunctionNames'])
    : new Set(['mode'])
}
