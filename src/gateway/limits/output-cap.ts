/**
 * Most tokens that a request lets its answer have, and how it is told to let it have no more. Read only from the fields that its own dialect knows: a cap that
 * the provider does not read is no cap, and would be a way round limits.
 */
import type { DialectId } from '../../domain/dialect-id.ts'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import type { Operation } from '../../domain/operations.ts'
import type { ProviderQuirks } from '../../domain/provider.ts'
import type { MemberEdit } from '../../kernel/json-scan.ts'

interface CapRow {
  /** Where the fields stand; empty: at the top. Google takes both ways of writing. */
  readonly under: readonly string[]
  /** Of several that are given, the largest counts; the last is the one that is set. */
  readonly caps: readonly string[]
  /** Answers asked for at once; of several, the largest counts. */
  readonly answers: readonly string[]
}

const rows: Readonly<Record<DialectId, CapRow>> = Object.freeze({
  'openai-chat': { under: [], caps: ['max_tokens', 'max_completion_tokens'], answers: ['n'] },
  'openai-responses': { under: [], caps: ['max_output_tokens'], answers: [] },
  'anthropic-messages': { under: [], caps: ['max_tokens'], answers: [] },
  gemini: {
    under: ['generation_config', 'generationConfig'],
    caps: ['max_output_tokens', 'maxOutputTokens'],
    answers: ['candidateCount', 'candidate_count'],
  },
  'bedrock-converse': { under: ['inferenceConfig'], caps: ['maxTokens'], answers: [] },
})
const legacyRow: CapRow = { under: [], caps: ['max_tokens'], answers: ['n', 'best_of'] }

/** Operations of no dialect whose answers have tokens. */
const legacy = 'completions'
const maxAnswers = 1024

export interface OutputCap {
  /** Tokens of each answer; null: the request says nothing. */
  readonly perAnswer: number | null
  readonly answers: number
}

const none: OutputCap = Object.freeze({ perAnswer: 0, answers: 0 })

export function outputCapOf(operation: Operation, json: JsonObject): OutputCap {
  if (operation.trafficClass === 'G' && operation.dialect !== null) return read(rows[operation.dialect], json)
  if (operation.id !== legacy) return none
  const { perAnswer, answers } = read(legacyRow, json)
  const prompts = Array.isArray(json['prompt']) ? promptsOf(json['prompt']) : 1
  return { perAnswer, answers: answers * prompts }
}

/** A list of texts is as many prompts; a list of numbers is the tokens of one. */
function promptsOf(list: readonly unknown[]): number {
  return typeof list[0] === 'number' ? 1 : Math.min(maxAnswers, Math.max(1, list.length))
}

function read({ under, caps, answers }: CapRow, json: JsonObject): OutputCap {
  if (under.length === 0)
    return { perAnswer: largest(json, caps), answers: Math.min(maxAnswers, largest(json, answers) ?? 1) }
  const places = under.map((name) => json[name]).filter(isJsonObject)
  const found = places.map((place) => largest(place, caps)).filter((cap) => cap !== null)
  const asked = places.map((place) => largest(place, answers) ?? 1)
  return {
    perAnswer: found.length === 0 ? null : Math.max(...found),
    answers: Math.min(maxAnswers, Math.max(1, ...asked)),
  }
}

function largest(object: JsonObject, fields: readonly string[]): number | null {
  let most: number | null = null
  for (const field of fields) {
    const value = object[field]
    if (typeof value === 'number' && value >= 1) most = Math.max(most ?? 0, Math.ceil(value))
  }
  return most
}

/** Where a cap is set, in which operation, at which vendor. */
export interface CapPlace {
  readonly operation: Operation
  readonly json: JsonObject | null
  readonly quirks: ProviderQuirks
}

/** A cap as a member of a body that has none, in the operation's own dialect. */
export function capEdit(cap: number, { operation, json, quirks }: CapPlace): MemberEdit {
  const { dialect } = operation
  const { under, caps } = dialect === null ? legacyRow : rows[dialect]
  const ofVendor = dialect === 'openai-chat' ? quirks.maxTokensField : undefined
  const field = ofVendor ?? caps.at(-1) ?? ''
  const place = under.find((name) => json?.[name] !== undefined) ?? under.at(-1)
  if (place === undefined) return { key: field, json: String(cap) }
  const given = json?.[place]
  return { key: place, json: JSON.stringify({ ...(isJsonObject(given) ? given : {}), [field]: cap }) }
}
