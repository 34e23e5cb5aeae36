/**
 * Canonical request → Anthropic Messages.
 *
 * The API demands `max_tokens`; where the caller set no limit, `defaultMaxTokens` is sent with a downgrade.
 * Instructions in mid conversation move to the system prompt, because only some models take them elsewhere.
 */
import type { CanonicalRequest, Message, ReasoningOptions } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import { refuseAbsentControls, temperatureUpToOne } from '../../absent-controls.ts'
import { type CanonicalOption, callerField, callerPart } from '../../caller-fields.ts'
import type { WriteRequestContext } from '../../dialect.ts'
import { cannotExpress, nativeFields } from '../../native.ts'
import { systemMessages, type Turn, writeTurns } from '../../tool-turns.ts'
import { type BlockTarget, markCached, translated, writeBlocks } from './content-writer.ts'

const dialect = 'anthropic-messages'

/** Output limit where the caller gave none, tokens; every current model allows it. */
export const defaultMaxTokens = 8192
/** Smallest thinking budget that the API takes, tokens. */
const minBudgetTokens = 1024

type Body = Record<string, JsonValue | undefined>

interface Writing {
  readonly request: CanonicalRequest
  readonly target: BlockTarget
  readonly downgrade: (option: CanonicalOption, reason: string) => void
  /** Fields of this dialect that the canonical form does not carry. */
  readonly own: JsonObject
}

/** Throws `faults.cannotExpress` naming the caller's field. */
export function writeRequest(request: CanonicalRequest, ctx: WriteRequestContext): JsonObject {
  const same = request.dialect === dialect
  const target: BlockTarget = {
    dialect,
    downgrade: ctx.downgrade,
    kind: 'request',
    same,
    caller: request.dialect,
    translated,
  }
  const writing: Writing = {
    request,
    target,
    downgrade: (option, reason) => ctx.downgrade({ field: callerField(request, option), reason }),
    own: nativeFields(request.native, 'request', target),
  }
  const body: Body = { ...writing.own, model: ctx.model, messages: writeMessages(writing) }
  writeLimits(body, writing)
  writeSystem(body, writing)
  writeTools(body, writing)
  writeSampling(body, writing)
  writeReasoning(body, writing)
  if (!same) reconcileThinking(body, writing)
  writeOutput(body, writing)
  writeIdentity(body, writing)
  if (request.stream) body['stream'] = true
  return body
}

function writeLimits(body: Body, { request, downgrade, target }: Writing): void {
  const budget = request.reasoning?.budgetTokens ?? 0
  if (request.maxOutputTokens !== undefined) body['max_tokens'] = request.maxOutputTokens
  else if (!target.same) {
    const limit = defaultMaxTokens + budget
    body['max_tokens'] = limit
    downgrade('maxOutputTokens', `the provider demands a limit, ${limit} tokens were allowed`)
  }
  if (request.stopSequences.length > 0) body['stop_sequences'] = request.stopSequences
}

/** A system message of the wire that stands among the messages stays there. */
function staysInPlace(message: Message): boolean {
  return message.native?.dialect === dialect && message.native.fields['role'] === 'system'
}

function writeSystem(body: Body, { request, target }: Writing): void {
  const messages = systemMessages({ request, target, same: target.same, stays: staysInPlace })
  const blocks = messages.flatMap(([message, index]) =>
    writeBlocks(message.parts, target, (part) => callerPart(request, index, part)),
  )
  let asText: string | undefined
  for (const [message] of messages) {
    const fields = nativeFields(message.native, 'message', target)
    const [only] = message.parts
    const plain =
      messages.length === 1 &&
      message.parts.length === 1 &&
      only?.type === 'text' &&
      only.native === undefined
    if (plain && (!target.same || fields['content'] === 'text')) asText = only.text
  }
  if (messages.length === 0 || (blocks.length === 0 && !target.same)) return
  body['system'] = asText ?? blocks
}

function writeMessages({ request, target }: Writing): JsonObject[] {
  const turns = writeTurns({
    request,
    target,
    skips: (message) => message.role === 'system' && !staysInPlace(message),
    write: (message, index) => writeBlocks(message.parts, target, (part) => callerPart(request, index, part)),
    joins: (last) => last.open,
  })
  return turns.map(writeMessage)
}

function writeMessage({ role, blocks, fields }: Turn<Record<string, JsonValue | undefined>>): JsonObject {
  const { role: _mark, content: note, ...rest } = fields
  const [only = {}] = blocks
  const asText = note === 'text' && blocks.length === 1 && Object.keys(only).length === 2
  return { role, content: (asText ? only['text'] : undefined) ?? blocks, ...rest }
}

function writeTools(body: Body, { request, target, own, downgrade }: Writing): void {
  const tools: Record<string, JsonValue | undefined>[] = []
  for (const [index, tool] of request.tools.entries()) {
    const fields = nativeFields(tool.native, 'tool', target)
    const wire: Record<string, JsonValue | undefined> = { name: tool.name }
    if (tool.description !== undefined) wire['description'] = tool.description
    wire['input_schema'] = tool.parameters ?? { type: 'object', properties: {} }
    if (tool.strict !== undefined && (target.same || tool.strict)) wire['strict'] = tool.strict
    tools[index] = { ...wire, ...fields }
    markCached(tools[index], tool.native, target)
  }
  for (const tool of request.builtinTools) {
    if (tool.native.dialect !== dialect) {
      throw cannotExpress(
        tool.native.at ?? callerField(request, 'tools'),
        dialect,
        'the tool is particular to another API',
      )
    }
    tools.splice(positionOf(tool.native.at), 0, { ...tool.native.fields })
  }
  if (tools.length > 0) body['tools'] = tools
  const rest = own['tool_choice']
  const parallel = request.parallelToolCalls
  if (request.toolChoice === undefined) {
    if (parallel === false && tools.length > 0)
      body['tool_choice'] = { type: 'auto', disable_parallel_tool_use: true }
    return
  }
  if (tools.length === 0 && !target.same) {
    downgrade('toolChoice', 'there are no tools to choose from')
    return
  }
  const choice: Body = isJsonObject(rest) ? { ...rest } : {}
  const { toolChoice } = request
  choice['type'] = toolChoice.type === 'required' ? 'any' : toolChoice.type
  if (toolChoice.type === 'tool') choice['name'] = toolChoice.name
  if (parallel !== undefined && (target.same || (toolChoice.type !== 'none' && !parallel))) {
    choice['disable_parallel_tool_use'] = !parallel
  }
  body['tool_choice'] = choice
}

/** The index in `tools[3]`; built-in tools go back to their place among the others. */
function positionOf(at: string | undefined): number {
  const index = Number(at?.slice('tools['.length, -1))
  return Number.isInteger(index) ? index : Number.MAX_SAFE_INTEGER
}

function writeSampling(body: Body, { request, target }: Writing): void {
  const { sampling } = request
  const temperature = temperatureUpToOne(request, target)
  if (temperature !== undefined) body['temperature'] = temperature
  if (sampling.topP !== undefined) body['top_p'] = sampling.topP
  if (sampling.topK !== undefined) body['top_k'] = sampling.topK
  refuseAbsentControls(request, target)
}

/** Effort words of other dialects → ours; the same words are not listed. */
const efforts: ReadonlyMap<string, string> = new Map([['minimal', 'low']])

function writeReasoning(body: Body, writing: Writing): void {
  const { request, target, downgrade } = writing
  const { reasoning } = request
  if (reasoning === undefined) return
  if (target.same) {
    writeOwnReasoning(body, reasoning)
    return
  }
  nativeFields(reasoning.native, 'reasoning', target)
  if (reasoning.disabled === true || reasoning.effort === 'none' || reasoning.budgetTokens === 0) {
    body['thinking'] = { type: 'disabled' }
    return
  }
  const display =
    reasoning.visible === undefined ? {} : { display: reasoning.visible ? 'summarized' : 'omitted' }
  if (reasoning.budgetTokens !== undefined) {
    const limit = Number(body['max_tokens'])
    const budget = Math.max(minBudgetTokens, Math.min(reasoning.budgetTokens, limit - 1))
    if (budget >= limit) {
      downgrade('reasoningBudget', `thinking needs a limit of more than ${minBudgetTokens} output tokens`)
      return
    }
    if (budget !== reasoning.budgetTokens) {
      downgrade(
        'reasoningBudget',
        `${budget} tokens were allowed: at least ${minBudgetTokens}, and less than the output limit`,
      )
    }
    body['thinking'] = { type: 'enabled', budget_tokens: budget, ...display }
  } else body['thinking'] = { type: 'adaptive', ...display }
  if (reasoning.effort !== undefined) {
    const effort = efforts.get(reasoning.effort) ?? reasoning.effort
    if (effort !== reasoning.effort) downgrade('reasoningEffort', `the lowest effort here is ${effort}`)
    body['output_config'] = { ...objectOr(body['output_config']), effort }
  }
}

/** With thinking on, the API refuses forced tools, and any temperature or top-k but its own. */
function reconcileThinking(body: Body, { downgrade }: Writing): void {
  const thinking = body['thinking']
  if (!isJsonObject(thinking) || thinking['type'] === 'disabled') return
  const choice = body['tool_choice']
  if (isJsonObject(choice) && (choice['type'] === 'any' || choice['type'] === 'tool')) {
    downgrade('reasoning', 'the provider does not think where a tool is forced')
    delete body['thinking']
    return
  }
  if (body['temperature'] !== undefined && body['temperature'] !== 1) {
    downgrade('temperature', 'the provider takes none while it thinks')
    delete body['temperature']
  }
  if (body['top_k'] !== undefined) {
    downgrade('topK', 'the provider takes none while it thinks')
    delete body['top_k']
  }
}

function writeOwnReasoning(body: Body, reasoning: ReasoningOptions): void {
  if (reasoning.effort !== undefined) {
    body['output_config'] = { ...objectOr(body['output_config']), effort: reasoning.effort }
  }
  const thinking: Body = { ...reasoning.native?.fields }
  if (reasoning.disabled === true) thinking['type'] = 'disabled'
  if (reasoning.budgetTokens !== undefined) {
    thinking['type'] = 'enabled'
    thinking['budget_tokens'] = reasoning.budgetTokens
  }
  if (reasoning.visible !== undefined) thinking['display'] = reasoning.visible ? 'summarized' : 'omitted'
  if (Object.keys(thinking).length > 0) body['thinking'] = thinking
}

function writeOutput(body: Body, { request, downgrade, own }: Writing): void {
  const { output } = request
  if (output === undefined || output.type === 'text') return
  if (output.type === 'json') {
    downgrade('output', 'the provider has no JSON mode without a schema; the prompt alone asks for JSON')
    return
  }
  const format: JsonObject = { type: 'json_schema', schema: output.schema }
  const beta = own['output_format']
  if (isJsonObject(beta) && beta['type'] === undefined) body['output_format'] = { ...beta, ...format }
  else {
    const config = objectOr(body['output_config'])
    body['output_config'] = { ...config, format: { ...objectOr(config['format']), ...format } }
  }
}

/** Service tiers of other dialects → ours; `auto` and `standard_only` are ours. */
const tiers: ReadonlyMap<string, string> = new Map([
  ['auto', 'auto'],
  ['standard_only', 'standard_only'],
  ['default', 'standard_only'],
])

function writeIdentity(body: Body, { request, target, downgrade }: Writing): void {
  if (request.endUser !== undefined) {
    body['metadata'] = { ...objectOr(body['metadata']), user_id: request.endUser }
  }
  if (request.metadata !== undefined && Object.keys(request.metadata).length > 0) {
    downgrade('metadata', 'the provider keeps no metadata')
  }
  if (request.serviceTier === undefined) return
  const tier = target.same ? request.serviceTier : tiers.get(request.serviceTier)
  if (tier === undefined) downgrade('serviceTier', 'the provider has no such tier')
  else body['service_tier'] = tier
}

function objectOr(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}
