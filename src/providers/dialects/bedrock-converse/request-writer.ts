/** Canonical request → Converse. The model and the choice to stream stand in the path. */
import type { CanonicalRequest, OutputFormat, ToolDefinition } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { refuseAbsentControls, temperatureUpToOne } from '../../absent-controls.ts'
import { type CanonicalOption, callerField, callerPart } from '../../caller-fields.ts'
import type { WriteRequestContext } from '../../dialect.ts'
import { cannotExpress, nativeFields } from '../../native.ts'
import { restoreNested } from '../../nested-fields.ts'
import { systemMessages, type Turn, writeTurns } from '../../tool-turns.ts'
import { type BlockTarget, cachePointOf, translated, writeBlocks } from './content-writer.ts'
import { familyOf } from './model-fields.ts'
import { outputPaths, schemaPath } from './request-reader.ts'

const dialect = 'bedrock-converse'

/** Objects of the request that are taken apart. */
const nestedPaths = [
  'inferenceConfig',
  'toolConfig',
  'additionalModelRequestFields',
  'serviceTier',
  ...outputPaths,
]

type Fields = Record<string, JsonValue | undefined>

interface Writing {
  readonly request: CanonicalRequest
  readonly model: string
  readonly target: BlockTarget
  readonly downgrade: (option: CanonicalOption, reason: string) => void
  /** Fields of this dialect that the canonical form does not carry, under dotted names. */
  readonly own: JsonObject
}

/** Throws `faults.cannotExpress` naming the caller's field. */
export function writeRequest(request: CanonicalRequest, ctx: WriteRequestContext): JsonObject {
  let documents = 0
  const target: BlockTarget = {
    dialect,
    downgrade: ctx.downgrade,
    translated,
    same: request.dialect === dialect,
    caller: request.dialect,
    nextDocument: () => {
      documents += 1
      return documents
    },
  }
  const writing: Writing = {
    request,
    model: ctx.model,
    target,
    downgrade: (option, reason) => ctx.downgrade({ field: callerField(request, option), reason }),
    own: nativeFields(request.native, 'request', target),
  }
  const body: Fields = { messages: writeMessages(writing) }
  const system = writeSystem(writing)
  if (system !== undefined) body['system'] = system
  const inference = writeInference(writing)
  if (Object.keys(inference).length > 0) body['inferenceConfig'] = inference
  const toolConfig = writeToolConfig(writing)
  if (Object.keys(toolConfig).length > 0) body['toolConfig'] = toolConfig
  const more = writeModelFields(writing)
  if (Object.keys(more).length > 0) body['additionalModelRequestFields'] = more
  writeOutput(body, writing)
  writeIdentity(body, writing)
  restoreNested(body, writing.own, nestedPaths)
  return body
}

function writeSystem({ request, target, own }: Writing): readonly JsonValue[] | undefined {
  const messages = systemMessages({ request, target, same: target.same, stays: () => false })
  const blocks: JsonObject[] = []
  for (const [message, index] of messages) {
    nativeFields(message.native, 'message', target)
    blocks.push(...writeBlocks(message.parts, target, (part) => callerPart(request, index, part)))
  }
  return blocks.length === 0 && own['system'] === undefined ? undefined : blocks
}

/** The API wants users and assistants in turn, so what stands side by side is joined. */
function writeMessages({ request, target }: Writing): JsonObject[] {
  const turns = writeTurns({
    request,
    target,
    skips: (message) => message.role === 'system',
    write: (message, index) => writeBlocks(message.parts, target, (part) => callerPart(request, index, part)),
    joins: (last) => last.open || !target.same,
  })
  return turns.map(writeTurn)
}

function writeTurn({ role, blocks, fields }: Turn<JsonObject>): JsonObject {
  const { role: _mark, content: _note, ...rest } = fields
  return { role, content: blocks, ...rest }
}

function writeInference({ request, target }: Writing): Fields {
  const config: Fields = {}
  const temperature = temperatureUpToOne(request, target)
  if (request.maxOutputTokens !== undefined) config['maxTokens'] = request.maxOutputTokens
  if (temperature !== undefined) config['temperature'] = temperature
  if (request.sampling.topP !== undefined) config['topP'] = request.sampling.topP
  if (request.stopSequences.length > 0) config['stopSequences'] = request.stopSequences
  refuseAbsentControls(request, target)
  return config
}

function writeToolConfig(writing: Writing): Fields {
  const { request, target, downgrade, own } = writing
  if (request.toolChoice?.type === 'none') return withoutTools(writing)
  const tools: JsonValue[] = []
  for (const tool of request.tools) {
    tools.push({ toolSpec: writeTool(tool, target) })
    const point = cachePointOf(tool.native, target)
    if (point !== undefined) tools.push(point)
  }
  for (const tool of request.builtinTools) {
    if (tool.native.dialect !== dialect) {
      const field = tool.native.at ?? callerField(request, 'tools')
      throw cannotExpress(field, dialect, 'the tool is particular to another API')
    }
    tools.splice(positionOf(tool.native.at), 0, tool.native.fields)
  }
  const config: Fields = tools.length === 0 ? {} : { tools }
  if (request.parallelToolCalls === false && tools.length > 0) {
    downgrade('parallelToolCalls', 'the model itself decides how many calls it makes at once')
  }
  const choice = request.toolChoice
  if (choice === undefined || own['toolConfig.toolChoice'] !== undefined) return config
  if (tools.length === 0 && !target.same) downgrade('toolChoice', 'there are no tools to choose from')
  else if (choice.type === 'tool') config['toolChoice'] = { tool: { name: choice.name } }
  else config['toolChoice'] = choice.type === 'required' ? { any: {} } : { auto: {} }
  return config
}

/** The API cannot forbid calls; without tools there are none, but a conversation with calls must name its tools. */
function withoutTools({ request }: Writing): Fields {
  const called = request.messages.some((message) =>
    message.parts.some((part) => part.type === 'tool-call' || part.type === 'tool-result'),
  )
  if (called) {
    throw cannotExpress(
      callerField(request, 'toolChoice'),
      dialect,
      'it cannot forbid calls once tools were called',
    )
  }
  return {}
}

function writeTool(tool: ToolDefinition, target: BlockTarget): JsonObject {
  const { cachePoint: _point, inputSchema: beside, ...fields } = nativeFields(tool.native, 'tool', target)
  const spec: Fields = { name: tool.name }
  if (tool.description !== undefined) spec['description'] = tool.description
  const schema = { json: tool.parameters ?? { type: 'object', properties: {} } }
  spec['inputSchema'] = isJsonObject(beside) ? { ...beside, ...schema } : schema
  if (tool.strict !== undefined && (target.same || tool.strict)) spec['strict'] = tool.strict
  return { ...spec, ...fields }
}

/** The index in `toolConfig.tools[3]`. */
function positionOf(at: string | undefined): number {
  const index = Number(at?.slice('toolConfig.tools['.length, -1))
  return Number.isInteger(index) ? index : Number.MAX_SAFE_INTEGER
}

function writeModelFields(writing: Writing): Fields {
  const { request, target, model, downgrade } = writing
  const family = familyOf(model)
  const more: Fields = {}
  const { topK } = request.sampling
  const topKField = target.same ? 'top_k' : family?.topK
  if (topK !== undefined && topKField !== undefined) more[topKField] = topK
  else if (topK !== undefined) downgrade('topK', 'the model takes no such option')
  const { reasoning } = request
  if (reasoning === undefined) return more
  if (target.same) {
    const budget = { type: 'enabled', budget_tokens: reasoning.budgetTokens }
    more['thinking'] = reasoning.disabled === true ? { type: 'disabled' } : budget
    return more
  }
  nativeFields(reasoning.native, 'reasoning', target)
  const fields = family?.reasoning?.(reasoning)
  if (fields === undefined) downgrade('reasoning', 'the model takes no such option')
  return { ...more, ...fields }
}

function writeOutput(body: Fields, { request, own, downgrade }: Writing): void {
  const { output } = request
  if (output === undefined || output.type === 'text') return
  if (output.type === 'json') {
    downgrade('output', 'the provider has no JSON mode without a schema; the prompt alone asks for JSON')
    return
  }
  body['outputConfig'] = {
    textFormat: { type: 'json_schema', structure: { jsonSchema: writeSchema(output, own) } },
  }
}

function writeSchema(output: OutputFormat & { readonly type: 'json-schema' }, own: JsonObject): JsonObject {
  const definition: Fields = { schema: own[schemaPath] ?? JSON.stringify(output.schema) }
  if (output.name !== undefined) definition['name'] = output.name
  if (output.description !== undefined) definition['description'] = output.description
  return definition
}

/** Tiers of other dialects → ours; `auto` needs no word. */
const tiers: ReadonlyMap<string, string> = new Map([
  ['default', 'default'],
  ['standard_only', 'default'],
  ['flex', 'flex'],
  ['priority', 'priority'],
])

/** Keys and values that `requestMetadata` takes (ConverseRequest): at most 16 entries. */
const metadataText = /^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$/
const maxMetadata = 16

function writeIdentity(body: Fields, { request, target, downgrade }: Writing): void {
  const { metadata, serviceTier } = request
  if (metadata !== undefined) {
    const entries = Object.entries(metadata)
    const fits =
      entries.length <= maxMetadata &&
      entries.every(([key, value]) => metadataText.test(key) && metadataText.test(value))
    if (target.same || (fits && entries.length > 0)) body['requestMetadata'] = { ...metadata }
    else if (entries.length > 0) downgrade('metadata', 'the provider takes 16 entries of plain characters')
  }
  if (request.endUser !== undefined) downgrade('endUser', 'the provider takes no name of the end user')
  if (serviceTier === undefined) return
  const tier = target.same ? serviceTier : tiers.get(serviceTier)
  if (tier !== undefined) body['serviceTier'] = { type: tier }
  else if (serviceTier !== 'auto') downgrade('serviceTier', 'the provider has no such tier')
}
