/** Canonical request → Gemini generateContent. The model and the choice to stream stand in the path. */
import type { CanonicalRequest, Message, ToolDefinition } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import { type CanonicalOption, callerField, callerPart } from '../../caller-fields.ts'
import type { WriteRequestContext } from '../../dialect.ts'
import { cannotExpress, nativeFields } from '../../native.ts'
import { restoreNested } from '../../nested-fields.ts'
import { systemMessages, type Turn, writeTurns } from '../../tool-turns.ts'
import { type PartTarget, writeParts } from './part-writer.ts'

const dialect = 'gemini'

/** Objects of the request that are taken apart, inner ones first. */
const nestedPaths = ['generationConfig', 'toolConfig.functionCallingConfig', 'toolConfig']

type Fields = Record<string, JsonValue | undefined>

interface Writing {
  readonly request: CanonicalRequest
  readonly target: PartTarget
  readonly downgrade: (option: CanonicalOption, reason: string) => void
  /** Fields of this dialect that the canonical form does not carry, under dotted names. */
  readonly own: JsonObject
}

/** Throws `faults.cannotExpress` naming the caller's field. */
export function writeRequest(request: CanonicalRequest, ctx: WriteRequestContext): JsonObject {
  const names = callNames(request.messages)
  const target: PartTarget = {
    dialect,
    downgrade: ctx.downgrade,
    same: request.dialect === dialect,
    caller: request.dialect,
    nameOf: (callId) => names.get(callId),
  }
  const writing: Writing = {
    request,
    target,
    downgrade: (option, reason) => ctx.downgrade({ field: callerField(request, option), reason }),
    own: nativeFields(request.native, 'request', target),
  }
  const body: Fields = { contents: writeContents(writing) }
  const system = writeSystem(writing)
  if (system !== undefined) body['systemInstruction'] = system
  const tools = writeTools(writing)
  if (tools.length > 0) body['tools'] = tools
  const calling = writeToolChoice(writing, tools.length > 0)
  if (calling !== undefined) body['toolConfig'] = { functionCallingConfig: calling }
  const config = writeConfig(writing)
  if (Object.keys(config).length > 0) body['generationConfig'] = config
  writeIdentity(body, writing)
  restoreNested(body, writing.own, nestedPaths)
  return body
}

function callNames(messages: readonly Message[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const message of messages) {
    for (const part of message.parts) if (part.type === 'tool-call') names.set(part.id, part.name)
  }
  return names
}

function writeSystem({ request, target }: Writing): JsonObject | undefined {
  const messages = systemMessages({ request, target, same: target.same, stays: () => false })
  const parts = messages.flatMap(([message, index]) =>
    writeParts(message.parts, target, (part) => callerPart(request, index, part)),
  )
  if (messages.length === 0 || (parts.length === 0 && !target.same)) return undefined
  let fields: JsonObject = {}
  for (const [message] of messages) fields = { ...fields, ...nativeFields(message.native, 'message', target) }
  return { parts, ...fields }
}

function writeContents({ request, target }: Writing): JsonObject[] {
  const turns = writeTurns({
    request,
    target,
    skips: (message) => message.role === 'system',
    write: (message, index) => writeParts(message.parts, target, (part) => callerPart(request, index, part)),
    // Responses to parallel calls must stand in one content; a user's text after them is better apart.
    joins: (last, message) => last.open && (message.role === 'tool' || target.same),
  })
  return turns.map(writeContent)
}

/** The note `parts` holds another spelling of the role: none at all, or `function`. */
function writeContent({ role, blocks: parts, fields }: Turn<Fields>): JsonObject {
  const { role: _mark, parts: spelled, ...rest } = fields
  if (spelled === '') return { parts, ...rest }
  const plain = role === 'assistant' ? 'model' : 'user'
  return { role: typeof spelled === 'string' ? spelled : plain, parts, ...rest }
}

interface WireTool {
  readonly at: number
  fields: JsonObject
  declarations: Fields[]
}

/** Declarations and built-in tools go back into the tool objects they came from; others share one at the end. */
function writeTools({ request, target }: Writing): JsonObject[] {
  const tools: WireTool[] = []
  for (const [index, tool] of request.tools.entries()) {
    const declaration = writeDeclaration(tool, target, `${callerField(request, 'tools')}[${index}]`)
    toolAt(tools, tool.native?.dialect === dialect ? tool.native.at : undefined).declarations.push(
      declaration,
    )
  }
  for (const tool of request.builtinTools) {
    if (tool.native.dialect !== dialect) {
      throw cannotExpress(
        tool.native.at ?? callerField(request, 'tools'),
        dialect,
        'the tool is particular to another API',
      )
    }
    toolAt(tools, tool.native.at).fields = tool.native.fields
  }
  return tools
    .sort((a, b) => a.at - b.at)
    .map(({ fields, declarations }) =>
      declarations.length === 0 ? fields : { functionDeclarations: declarations, ...fields },
    )
}

/** The tool object with the index of `tools[2].functionDeclarations[0]`. */
function toolAt(tools: WireTool[], path: string | undefined): WireTool {
  const at =
    path === undefined ? Number.MAX_SAFE_INTEGER : Number(path.slice('tools['.length, path.indexOf(']')))
  let tool = tools.find((one) => one.at === at)
  if (tool === undefined) {
    tool = { at, fields: {}, declarations: [] }
    tools.push(tool)
  }
  return tool
}

function writeDeclaration(tool: ToolDefinition, target: PartTarget, path: string): Fields {
  const fields = nativeFields(tool.native, 'tool', target)
  const declaration: Fields = { name: tool.name }
  if (tool.description !== undefined) declaration['description'] = tool.description
  if (tool.parameters !== undefined && fields['parameters'] === undefined) {
    declaration['parametersJsonSchema'] = tool.parameters
  }
  if (tool.strict === true) {
    target.downgrade({
      field: `${path}.strict`,
      reason: 'the provider does not promise arguments that fit the schema',
    })
  }
  return { ...declaration, ...fields }
}

const modes = { auto: 'AUTO', none: 'NONE', required: 'ANY', tool: 'ANY' } as const

function writeToolChoice(
  { request, target, downgrade, own }: Writing,
  hasTools: boolean,
): Fields | undefined {
  if (request.parallelToolCalls === false && hasTools) {
    downgrade('parallelToolCalls', 'the model itself decides how many calls it makes at once')
  }
  const choice = request.toolChoice
  if (choice === undefined) return undefined
  if (!hasTools && !target.same) {
    downgrade('toolChoice', 'there are no tools to choose from')
    return undefined
  }
  if (own['toolConfig.functionCallingConfig.mode'] !== undefined) return {}
  const calling: Fields = { mode: modes[choice.type] }
  if (choice.type === 'tool') calling['allowedFunctionNames'] = [choice.name]
  return calling
}

function writeConfig(writing: Writing): Fields {
  const { request, own } = writing
  const { sampling } = request
  const config: Fields = {}
  const values = {
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    candidateCount: sampling.candidates,
    maxOutputTokens: request.maxOutputTokens,
    stopSequences: request.stopSequences.length > 0 ? request.stopSequences : undefined,
    seed: sampling.seed,
    presencePenalty: sampling.presencePenalty,
    frequencyPenalty: sampling.frequencyPenalty,
    responseLogprobs: sampling.logprobs,
    logprobs: sampling.topLogprobs,
  }
  for (const [key, value] of Object.entries(values)) if (value !== undefined) config[key] = value
  const thinking = writeThinking(writing)
  if (thinking !== undefined) config['thinkingConfig'] = thinking
  const { output } = request
  if (output?.type === 'text') {
    if (writing.target.same) config['responseMimeType'] = 'text/plain'
  } else if (output !== undefined) {
    config['responseMimeType'] = 'application/json'
    if (output.type === 'json-schema' && own['generationConfig.responseSchema'] === undefined) {
      config['responseJsonSchema'] = output.schema
    }
  }
  return config
}

/** Efforts of other dialects → thinking levels; `none` is a budget of 0. */
const levels: ReadonlyMap<string, string> = new Map([
  ['minimal', 'MINIMAL'],
  ['low', 'LOW'],
  ['medium', 'MEDIUM'],
  ['high', 'HIGH'],
])
const highest = 'HIGH'

function writeThinking({ request, target, downgrade }: Writing): Fields | undefined {
  const { reasoning } = request
  if (reasoning === undefined) return undefined
  const own = nativeFields(reasoning.native, 'reasoning', target)
  const thinking: Fields = {}
  if (reasoning.disabled === true || reasoning.effort === 'none') thinking['thinkingBudget'] = 0
  else if (reasoning.budgetTokens !== undefined) thinking['thinkingBudget'] = reasoning.budgetTokens
  // The API refuses a level and a budget together.
  const leveled = reasoning.effort !== undefined && (target.same || thinking['thinkingBudget'] === undefined)
  if (leveled && reasoning.effort !== undefined && own['thinkingLevel'] === undefined) {
    const level = levels.get(reasoning.effort)
    if (level === undefined) downgrade('reasoningEffort', `the highest level here is ${highest}`)
    thinking['thinkingLevel'] = level ?? highest
  }
  if (reasoning.visible !== undefined) thinking['includeThoughts'] = reasoning.visible
  const whole = { ...thinking, ...own }
  return Object.keys(whole).length === 0 && !target.same ? undefined : whole
}

function writeIdentity(body: Fields, { request, target, downgrade }: Writing): void {
  const { metadata } = request
  if (target.same) {
    if (metadata !== undefined) body['labels'] = { ...metadata }
  } else if (metadata !== undefined && Object.keys(metadata).length > 0) {
    downgrade('metadata', 'the provider keeps no metadata')
  }
  if (request.endUser !== undefined) downgrade('endUser', 'the provider takes no name of the end user')
  if (request.serviceTier !== undefined && request.serviceTier !== 'auto') {
    downgrade('serviceTier', 'the provider has no such tier')
  }
}
