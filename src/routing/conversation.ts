/**
 * What stays the same through a conversation, as a hash: the caller's `prompt_cache_key`, else its first system text
 * and first user message, else the end user. Providers keep prompts in a cache for their prefix, so turns of one
 * conversation belong to one deployment. Bound: 4,096 characters and 256 values are read, whatever the body holds.
 */
import { isJsonObject, type JsonObject } from '../domain/json.ts'
import { hashText, mixText } from './mix.ts'

const maxCharacters = 4096
const maxValues = 256

/** Fields with the system text, by dialect: Anthropic, Responses, Gemini. */
const systemFields = ['system', 'instructions', 'systemInstruction', 'system_instruction']
/** Fields with the turns: chat and Anthropic, Responses, Gemini; `prompt` of legacy completions. */
const turnFields = ['messages', 'input', 'contents', 'prompt']
const systemRoles: ReadonlySet<unknown> = new Set(['system', 'developer'])

/**
 * @param tenant organization of the caller: equal conversations of two tenants are not placed alike on purpose
 * @returns null where nothing names the conversation
 */
export function conversationHash(tenant: string, body: JsonObject | null, endUser: string): number | null {
  const seed = hashText(tenant)
  const named = body?.['prompt_cache_key']
  if (typeof named === 'string' && named !== '') return mixText(seed, named, maxCharacters)
  const walk = new Walk(seed)
  if (body !== null) {
    for (const field of systemFields) walk.take(body[field])
    for (const field of turnFields) walk.takeOpening(body[field])
  }
  if (walk.found) return walk.hash
  return endUser === '' ? null : mixText(seed, endUser, maxCharacters)
}

class Walk {
  hash: number
  found = false
  #characters = maxCharacters
  #values = maxValues

  constructor(seed: number) {
    this.hash = seed
  }

  take(value: unknown): void {
    if (value === undefined || value === null || this.#values <= 0 || this.#characters <= 0) return
    this.#values -= 1
    if (typeof value === 'string') {
      this.hash = mixText(this.hash, value, this.#characters)
      this.#characters -= value.length
      this.found = true
    } else if (Array.isArray(value)) for (const each of value.slice(0, this.#values)) this.take(each)
    else if (isJsonObject(value)) for (const key in value) if (key !== 'cache_control') this.take(value[key])
  }

  /** The turns up to the first one of the user. */
  takeOpening(turns: unknown): void {
    if (!Array.isArray(turns)) return this.take(turns)
    for (const turn of turns) {
      this.take(turn)
      if (this.#values <= 0 || !isJsonObject(turn) || !systemRoles.has(turn['role'])) return
    }
  }
}
