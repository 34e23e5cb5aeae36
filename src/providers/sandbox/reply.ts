/**
 * What the sandbox model answers: a pure function from a canonical request to a canonical response. The same request
 * always gets the same answer. Text is labelled `[sandbox]` so that nobody takes it for a model's, unless the caller
 * asked for given text.
 *
 * Tools: it calls one when the choice demands it, or when the user's text names a tool or says "call tool"; it answers
 * from results as soon as the conversation ends with one, also when the choice says `required`, so agents end.
 * Bounds: at most 16 tool calls, 8 choices, 100,000 words.
 */
import type {
  CanonicalChoice,
  CanonicalRequest,
  CanonicalResponse,
  Message,
  Part,
  StopReason,
  ToolDefinition,
} from '../../domain/canonical.ts'
import type { TokenUsage } from '../../domain/usage.ts'
import { type Directives, readDirectives } from './directives.ts'
import { hashText } from './embedding.ts'
import { makeInstance } from './schema-instance.ts'

export interface SandboxReply {
  readonly response: CanonicalResponse
  readonly directives: Directives
}

const maxCalls = 16
const maxChoices = 8
const shownLength = 400
const label = '[sandbox]'
const filler = ['sand', 'castle', 'tide', 'shell', 'dune', 'spade', 'bucket', 'wave'] as const

/** Rough token count: one per four characters, at least one per text. */
export function countTokens(text: string): number {
  return text === '' ? 0 : Math.ceil(text.length / 4)
}

function shorten(text: string): string {
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}…`
}

/** The text of parts, in order; media and calls have none. */
export function textOf(parts: readonly Part[]): string {
  const texts: string[] = []
  for (const part of parts) {
    if (part.type === 'text' || part.type === 'refusal') texts.push(part.text)
    else if (part.type === 'tool-result') texts.push(textOf(part.content))
  }
  return texts.join('\n')
}

interface Turn {
  readonly request: CanonicalRequest
  readonly directives: Directives
  /** The last user text without directives. */
  readonly said: string
  /** Tool results after the last assistant message. */
  readonly results: readonly Part[]
}

function readTurn(request: CanonicalRequest): Turn {
  const lastUser = request.messages.findLast(
    (message) => message.role === 'user' && message.parts.some((part) => part.type !== 'tool-result'),
  )
  const { text, directives } = readDirectives(
    lastUser === undefined ? '' : textOf(lastUser.parts.filter((part) => part.type !== 'tool-result')),
    request.metadata?.['sandbox'],
  )
  const lastAnswer = request.messages.findLastIndex((message) => message.role === 'assistant')
  const after: readonly Message[] = request.messages.slice(lastAnswer + 1)
  const results = after.flatMap((message) => message.parts.filter((part) => part.type === 'tool-result'))
  return { request, directives, said: text, results }
}

/** True when `said` holds `name` as a word of its own. */
function mentions(said: string, name: string): boolean {
  const text = said.toLowerCase()
  const word = name.toLowerCase()
  const isWordCharacter = (char: string): boolean => /[a-z0-9_]/.test(char)
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isWordCharacter(text.charAt(at - 1)) && !isWordCharacter(text.charAt(at + word.length))) return true
  }
  return false
}

function chooseTools(turn: Turn): readonly ToolDefinition[] {
  const { request, said, directives } = turn
  const choice = request.toolChoice ?? { type: 'auto' }
  if (turn.results.length > 0 || choice.type === 'none' || directives.say !== null) return []
  if (choice.type === 'tool') return request.tools.filter((tool) => tool.name === choice.name).slice(0, 1)
  const named = request.tools.filter((tool) => tool.name === directives.tool || mentions(said, tool.name))
  const anyway = choice.type === 'required' || /\bcall(?:\s+(?:a|the|any|some))?\s+tools?\b/i.test(said)
  const chosen = named.length > 0 ? named : anyway ? request.tools.slice(0, 1) : []
  return chosen.slice(0, request.parallelToolCalls === false ? 1 : maxCalls)
}

const maxHints = 64

/** `city=Paris`, `city="New York"`, `unit: celsius` in the user's text give the arguments of those names. */
function hintsFrom(said: string): (property: string) => string | undefined {
  const found = new Map<string, string>()
  const put = (name: string, value: string): void => {
    if (name !== '' && value !== '' && found.size < maxHints) found.set(name.toLowerCase(), value)
  }
  // Every second piece stood in quotes.
  const pieces = said.split('"')
  for (let index = 0; index < pieces.length; index += 2) {
    const words = (pieces[index] ?? '').split(/[\s,;]/)
    const quoted = pieces[index + 1] ?? ''
    words.forEach((word, place) => {
      const at = word.search(/[=:]/)
      if (at < 0) return
      const last = place === words.length - 1
      const rest = word.slice(at + 1)
      put(word.slice(0, at), rest !== '' ? rest : last ? quoted : (words[place + 1] ?? ''))
    })
  }
  return (property) => found.get(property.toLowerCase())
}

function writeCalls(turn: Turn, tools: readonly ToolDefinition[], id: string): readonly Part[] {
  const hint = hintsFrom(turn.said)
  return tools.map((tool, index) => ({
    type: 'tool-call',
    id: `call_${id}${index}`,
    name: tool.name,
    arguments: JSON.stringify(tool.parameters === undefined ? {} : makeInstance(tool.parameters, { hint })),
  }))
}

function writeWords(count: number): string {
  const words = [label]
  for (let i = 1; i < count; i += 1) words.push(filler[i % filler.length] ?? '')
  return words.slice(0, count).join(' ')
}

function describeAttachments(request: CanonicalRequest): string {
  const last = request.messages.findLast((message) => message.role === 'user')
  const kinds = (last?.parts ?? [])
    .map((part) => part.type)
    .filter((type) => type === 'image' || type === 'audio' || type === 'video' || type === 'document')
  return kinds.length === 0 ? '' : ` Attached: ${kinds.join(', ')}.`
}

function writeText(turn: Turn): string {
  const { request, directives, said, results } = turn
  if (directives.say !== null) return directives.say
  if (directives.tokens !== null) return writeWords(directives.tokens)
  const format = request.output
  if (format?.type === 'json-schema') {
    return JSON.stringify(makeInstance(format.schema, { hint: hintsFrom(said) }))
  }
  if (format?.type === 'json') return JSON.stringify({ sandbox: true, echo: shorten(said) })
  if (results.length > 0) {
    const answers = results.map((part) => shorten(textOf([part])) || 'nothing')
    return `${label} The tool answered: ${answers.join(' | ')}`
  }
  return `${label} You said: ${shorten(said) || 'nothing'}${describeAttachments(request)}`
}

interface Cut {
  readonly text: string
  readonly stopReason: StopReason
  readonly stopSequence?: string
}

/** Applies stop sequences, then the output cap. */
function cutText(text: string, request: CanonicalRequest): Cut {
  let end = text.length
  let stopSequence: string | undefined
  for (const stop of request.stopSequences) {
    const at = stop === '' ? -1 : text.indexOf(stop)
    if (at >= 0 && at < end) {
      end = at
      stopSequence = stop
    }
  }
  const cap = (request.maxOutputTokens ?? Number.POSITIVE_INFINITY) * 4
  if (cap < end) return { text: text.slice(0, cap), stopReason: 'length' }
  if (stopSequence !== undefined) {
    return { text: text.slice(0, end), stopReason: 'stop-sequence', stopSequence }
  }
  return { text, stopReason: 'stop' }
}

function wantsReasoning(turn: Turn): boolean {
  const options = turn.request.reasoning
  return (
    turn.directives.reasoning ||
    (options !== undefined && options.disabled !== true && options.effort !== 'none')
  )
}

function writeReasoning(turn: Turn, id: string): readonly Part[] {
  if (!wantsReasoning(turn)) return []
  const options = turn.request.reasoning
  // A thinking budget (Anthropic) asks for thoughts to be shown unless they are hidden expressly.
  const asked = options?.visible ?? options?.budgetTokens !== undefined
  const shown = turn.directives.reasoning || asked
  if (!shown) return []
  const text = `${label} Thinking about: ${shorten(turn.said)}`
  return [{ type: 'reasoning', text, signature: Buffer.from(`sandbox-${id}`).toString('base64') }]
}

function writeChoice(turn: Turn, id: string, index: number): CanonicalChoice {
  const reasoning = writeReasoning(turn, id)
  if (turn.directives.refusal) {
    const parts: readonly Part[] = [...reasoning, { type: 'refusal', text: `${label} I will not do that.` }]
    return { index, parts, stopReason: 'refusal' }
  }
  const calls = writeCalls(turn, chooseTools(turn), id)
  if (calls.length > 0) return { index, parts: [...reasoning, ...calls], stopReason: 'tool-calls' }
  const { text, ...ending } = cutText(writeText(turn), turn.request)
  const parts: readonly Part[] = text === '' ? reasoning : [...reasoning, { type: 'text', text }]
  return { index, parts, ...ending }
}

function countParts(parts: readonly Part[]): number {
  let total = 0
  for (const part of parts) {
    if (part.type === 'text' || part.type === 'refusal') total += countTokens(part.text)
    else if (part.type === 'tool-call') total += countTokens(part.name) + countTokens(part.arguments)
    else if (part.type === 'tool-result') total += countParts(part.content)
    else if (part.type !== 'reasoning' && part.type !== 'opaque') total += 256
  }
  return total
}

/** Input tokens of a request: messages with a little framing each, and tool definitions. */
export function countInput(request: CanonicalRequest): number {
  const messages = request.messages.reduce((sum, message) => sum + 4 + countParts(message.parts), 0)
  const tools = request.tools.reduce(
    (sum, tool) => sum + countTokens(JSON.stringify(tool.parameters ?? {})) + 8,
    0,
  )
  return messages + tools
}

function writeUsage(turn: Turn, choices: readonly CanonicalChoice[]): TokenUsage {
  const { directives } = turn
  const cap = (turn.request.maxOutputTokens ?? Number.POSITIVE_INFINITY) * choices.length
  const thought = wantsReasoning(turn) ? 16 : 0
  const written = choices.reduce((sum, choice) => sum + countParts(choice.parts), 0)
  // As at real providers: the cap is one of all output, reasoning included.
  const outputTokens = Math.min(cap, (directives.tokens ?? written) + thought)
  const extra = directives.cachedTokens + directives.cacheWriteTokens
  return {
    inputTokens: Math.max(countInput(turn.request), extra),
    outputTokens,
    cachedInputTokens: directives.cachedTokens,
    cacheWriteTokens: directives.cacheWriteTokens,
    reasoningTokens: Math.min(thought, outputTokens),
    estimated: false,
  }
}

/**
 * The sandbox model's answer.
 * @param nowMs Unix time, milliseconds: the only input besides the request
 * @throws Fault `request.invalid-field` for a malformed directive
 */
export function answerRequest(request: CanonicalRequest, nowMs: number): SandboxReply {
  const turn = readTurn(request)
  const id = hashText(`${request.model}\n${turn.said}\n${request.messages.length}`)
    .toString(16)
    .padStart(8, '0')
  const count = Math.min(Math.max(request.sampling.candidates ?? 1, 1), maxChoices)
  const choices = Array.from({ length: count }, (_unused, index) => writeChoice(turn, id, index))
  const response: CanonicalResponse = {
    id: `sandbox-${id}`,
    model: request.model,
    created: Math.floor(nowMs / 1000),
    choices,
    ...(turn.directives.noUsage ? {} : { usage: writeUsage(turn, choices) }),
  }
  return { response, directives: turn.directives }
}
