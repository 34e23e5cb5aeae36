/**
 * Directives: how a caller tells the sandbox model what to do. They stand on lines of the last user message,
 *
 *   sandbox: delay=200ms chunk-delay=50ms
 *   sandbox: say=any text up to the end of the line
 *
 * or, with the same words, in `metadata.sandbox`. A value of `say` in double quotes is read as a JSON string, so it can
 * hold line breaks. Unknown or malformed directives are refused, so that a typing error in a test is seen.
 * Bounds: delays 10 minutes, 100,000 tokens, 64 directives.
 */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'

/**
 * `status` an HTTP error · `refuse` no connection · `reset` cut before the answer · `hang` never answers ·
 * `mid-stream` cut half-way · `stall` silent half-way · `stream-error` an error event half-way · `malformed` an answer
 * that cannot be read.
 */
export type Failure =
  | { readonly kind: 'status'; readonly status: number }
  | {
      readonly kind: 'refuse' | 'reset' | 'hang' | 'mid-stream' | 'stall' | 'stream-error' | 'malformed'
    }

export interface Directives {
  /** Before the answer begins, milliseconds. */
  readonly delayMs: number
  /** Between chunks of a stream, milliseconds. */
  readonly chunkDelayMs: number
  readonly fail: Failure | null
  readonly retryAfterSeconds: number | null
  /** Answer with exactly this text. */
  readonly say: string | null
  /** Answer with this many words. */
  readonly tokens: number | null
  readonly reasoning: boolean
  /** Call this tool even if the text names none. */
  readonly tool: string | null
  readonly refusal: boolean
  readonly cachedTokens: number
  readonly cacheWriteTokens: number
  /** Leave usage figures out, as some servers do. */
  readonly noUsage: boolean
  /** Moderation category to flag. */
  readonly flag: string | null
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const maxDelayMs = 600_000
const maxTokens = 100_000
const maxDirectives = 64

function refuse(name: string, reason: string): never {
  throw new Fault(faults.invalidField, { public: { field: `sandbox: ${name}`, reason }, param: 'sandbox' })
}

const units: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['ms', 1],
  ['s', 1000],
])

function readDuration(name: string, value: string): number {
  const match = /^([0-9]{1,6})(ms|s)?$/.exec(value)
  const milliseconds = Number(match?.[1] ?? Number.NaN) * (units.get(match?.[2] ?? '') ?? 1)
  if (!(milliseconds <= maxDelayMs)) return refuse(name, 'expected a duration such as 200ms, at most 600s')
  return milliseconds
}

function readCount(name: string, value: string): number {
  const count = /^[0-9]{1,6}$/.test(value) ? Number(value) : Number.NaN
  if (!(count <= maxTokens)) return refuse(name, `expected a number up to ${maxTokens}`)
  return count
}

const failureKinds = ['refuse', 'reset', 'hang', 'mid-stream', 'stall', 'stream-error', 'malformed'] as const

function readFailure(name: string, value: string): Failure {
  const kind = failureKinds.find((known) => known === value)
  if (kind !== undefined) return { kind }
  const status = /^[45][0-9]{2}$/.test(value) ? Number(value) : 0
  if (status === 0)
    return refuse(name, `expected a status from 400 to 599 or one of ${failureKinds.join(', ')}`)
  return { kind: 'status', status }
}

type Setter = (target: Mutable<Directives>, name: string, value: string) => void

const setters: ReadonlyMap<string, Setter> = new Map<string, Setter>([
  ['delay', (target, name, value) => (target.delayMs = readDuration(name, value))],
  ['chunk-delay', (target, name, value) => (target.chunkDelayMs = readDuration(name, value))],
  ['fail', (target, name, value) => (target.fail = readFailure(name, value))],
  ['retry-after', (target, name, value) => (target.retryAfterSeconds = readCount(name, value))],
  ['tokens', (target, name, value) => (target.tokens = readCount(name, value))],
  ['tool', (target, _name, value) => (target.tool = value)],
  ['cached', (target, name, value) => (target.cachedTokens = readCount(name, value))],
  ['cache-write', (target, name, value) => (target.cacheWriteTokens = readCount(name, value))],
  ['flag', (target, _name, value) => (target.flag = value)],
  ['reasoning', (target) => (target.reasoning = true)],
  ['refusal', (target) => (target.refusal = true)],
  ['no-usage', (target) => (target.noUsage = true)],
])

function readSay(value: string): string {
  if (!value.startsWith('"')) return value
  try {
    const parsed: unknown = JSON.parse(value)
    if (typeof parsed === 'string') return parsed
  } catch {
    // Not JSON: the quote is part of the text.
  }
  return value
}

function apply(target: Mutable<Directives>, text: string): void {
  const trimmed = text.trim()
  if (trimmed.startsWith('say=')) {
    target.say = readSay(trimmed.slice(4))
    return
  }
  const words = trimmed.split(/[\s,;]+/).filter((word) => word !== '')
  if (words.length > maxDirectives) refuse('…', `at most ${maxDirectives} directives`)
  for (const word of words) {
    const at = word.indexOf('=')
    const name = at < 0 ? word : word.slice(0, at)
    const set = setters.get(name)
    if (set === undefined) refuse(name.slice(0, 32), `known are say, ${[...setters.keys()].join(', ')}`)
    set(target, name, at < 0 ? '' : word.slice(at + 1))
  }
}

const directiveLine = /^[ \t]*sandbox:(.*)$/i

export interface DirectedText {
  /** The text without its directive lines. */
  readonly text: string
  readonly directives: Directives
}

/**
 * Reads directives from `text` and from `metadata` (the value of `metadata.sandbox`, or empty).
 * @throws Fault `request.invalid-field` for a directive that is unknown or malformed
 */
export function readDirectives(text: string, metadata = ''): DirectedText {
  const directives: Mutable<Directives> = {
    delayMs: 0,
    chunkDelayMs: 0,
    fail: null,
    retryAfterSeconds: null,
    say: null,
    tokens: null,
    reasoning: false,
    tool: null,
    refusal: false,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    noUsage: false,
    flag: null,
  }
  if (metadata !== '') apply(directives, metadata)
  const kept: string[] = []
  for (const line of text.split('\n')) {
    const match = directiveLine.exec(line)
    if (match === null) kept.push(line)
    else apply(directives, match[1] ?? '')
  }
  return { text: kept.join('\n').trim(), directives }
}
