/**
 * How the tokens of a model are estimated, as data: the vocabulary that is its own, or the nearest public one with
 * ratios by script, and what a request costs beside its texts. Rules of thumb where a provider tells no formula, or the
 * formula needs what a request does not tell (the size of a picture, the length of a sound); the running calibration
 * (`token-calibration.ts`) corrects what is not exact.
 *
 * Where the figures come from (November 2026):
 * - OpenAI: which vocabulary serves which model, and four tokens a message, as `gpt-tokenizer` and OpenAI's cookbook
 *   have them; tools are rewritten there to about three quarters of their JSON; 85 tokens for a picture of low detail,
 *   765 for one of 1024 × 1024; gpt-4o-mini counts 33 times that.
 * - Ratios: measured against o200k_base with the tokenizers that Llama 3, Qwen 3, DeepSeek V3 and Gemma 3 publish, and
 *   the last one that Anthropic published (Claude 2). Claude 3 to 4.6: reported 16 to 30 % above GPT-4o for English and
 *   code. From Claude 4.7: reported 1.2 to 1.45 times 4.6 for Latin script and code, the same for others.
 * - Anthropic: 346 tokens of system prompt as soon as there are tools; a picture is width × height / 750, at most about
 *   1,600. Gemini: 258 a page, 32 a second of sound, 263 a second of film, 1,120 a picture of high resolution.
 */
import type { PerScript } from './scripts.ts'
import type { MeteredModel } from './token-calibration.ts'
import { loadVocabulary, type VocabularyName } from './vocabulary.ts'

/** Tokens beside those of texts. */
export interface RequestOverheads {
  readonly request: number
  readonly message: number
  /** Once, where there are tools. */
  readonly toolset: number
  /** Share of the tokens of the JSON text of tools and schemas that count. */
  readonly schemaShare: number
  readonly image: number
  readonly imageLow: number
  readonly audioSecond: number
  readonly videoSecond: number
  readonly page: number
}

export interface TokenRule {
  readonly name: string
  readonly vocabulary: VocabularyName
  /** The vocabulary is the model's own: texts are counted, not estimated. */
  readonly exact: boolean
  /** Tokens of the model for one of o200k_base; for exact rules used only until the vocabulary is loaded. */
  readonly ratios: PerScript
  readonly overheads: RequestOverheads
}

const plainOverheads: RequestOverheads = {
  request: 3,
  message: 4,
  toolset: 12,
  schemaShare: 1,
  image: 1100,
  imageLow: 1100,
  audioSecond: 32,
  videoSecond: 263,
  page: 1500,
}
const openaiOverheads: RequestOverheads = {
  ...plainOverheads,
  schemaShare: 0.75,
  image: 765,
  imageLow: 85,
  audioSecond: 10,
}

function figures(...[ascii, accented, cyrillic, han, kana, hangul, other, emoji]: Figures): PerScript {
  return { ascii, accented, cyrillic, han, kana, hangul, other, emoji }
}
type Figures = [
  ascii: number,
  accented: number,
  cyrillic: number,
  han: number,
  kana: number,
  hangul: number,
  other: number,
  emoji: number,
]

// biome-ignore format: the columns are the point
const ratios = {
  //                  ascii  accented  cyrillic  han   kana  hangul  other  emoji
  o200k:    figures(  1,     1,        1,        1,    1,    1,      1,     1    ),
  cl100k:   figures(  1,     2,        1.5,      1.4,  1.37, 1.45,   2.4,   1.54 ),
  claude:   figures(  1.16,  2.9,      1.8,      1.3,  1.36, 1.7,    3,     1.57 ),
  claude47: figures(  1.5,   3.5,      1.8,      1.3,  1.36, 1.7,    3,     1.57 ),
  gemini:   figures(  1.09,  0.7,      1,        0.86, 0.74, 1,      1,     0.65 ),
  deepseek: figures(  1.03,  1.8,      1.15,     0.77, 0.9,  1.13,   1.2,   1.09 ),
  llama:    figures(  1,     1.5,      1.13,     1.02, 0.94, 1.05,   1.5,   1.46 ),
  qwen:     figures(  1.02,  1.6,      1.22,     0.84, 0.93, 1.11,   1.7,   1    ),
  // Between the others, on the side of more: a reservation that is too large is given back.
  unknown:  figures(  1.1,   1.8,      1.2,      1.05, 1,    1.15,   1.7,   1.4  ),
} as const

function rule(name: string, rest: Partial<TokenRule> & Pick<TokenRule, 'ratios'>): TokenRule {
  return Object.freeze({
    name,
    vocabulary: 'o200k_base',
    exact: false,
    overheads: plainOverheads,
    ...rest,
  })
}

const o200k = rule('o200k_base', { exact: true, ratios: ratios.o200k, overheads: openaiOverheads })
const o200kMini = rule('o200k_base with dear pictures', {
  exact: true,
  ratios: ratios.o200k,
  overheads: { ...openaiOverheads, image: 25_501, imageLow: 2_833 },
})
const cl100k = rule('cl100k_base', {
  exact: true,
  vocabulary: 'cl100k_base',
  ratios: ratios.cl100k,
  overheads: openaiOverheads,
})
const anthropicOverheads = { ...plainOverheads, toolset: 346, image: 1600, imageLow: 1600, page: 2500 }
const claude = rule('claude', { ratios: ratios.claude, overheads: anthropicOverheads })
const claude47 = rule('claude from 4.7', { ratios: ratios.claude47, overheads: anthropicOverheads })
const gemini = rule('gemini', {
  ratios: ratios.gemini,
  overheads: { ...plainOverheads, message: 2, image: 1120, imageLow: 258, page: 258 },
})
const deepseek = rule('deepseek', { ratios: ratios.deepseek })
const llama = rule('llama', { ratios: ratios.llama })
const qwen = rule('qwen', { ratios: ratios.qwen })
const unknown = rule('unknown', { ratios: ratios.unknown })

/** A part of the model's name → the rule; the first row that matches. */
const byName: readonly (readonly [part: string, rule: TokenRule])[] = [
  ['claude-2', claude],
  ['claude-3', claude],
  ['claude-instant', claude],
  ['claude-sonnet-4', claude],
  ['claude-haiku-4', claude],
  ['claude-opus-4-7', claude47],
  ['claude-opus-4-8', claude47],
  ['claude-opus-4', claude],
  ['claude', claude47],
  ['gpt-4o-mini', o200kMini],
  ['gpt-4o', o200k],
  ['gpt-4.', o200k],
  ['gpt-4', cl100k],
  ['gpt-3.5', cl100k],
  ['gpt-35', cl100k],
  ['text-embedding-3', cl100k],
  ['text-embedding-ada', cl100k],
  ['gpt-', o200k],
  ['gemini', gemini],
  ['gemma', gemini],
  ['deepseek-r1-distill-llama', llama],
  ['deepseek-r1-distill-qwen', qwen],
  ['deepseek', deepseek],
  ['llama', llama],
  ['qwen', qwen],
  ['qwq', qwen],
]

/** For names that say nothing. */
const byProvider: ReadonlyMap<string, TokenRule> = new Map([
  ['openai', o200k],
  ['azure-openai', o200k],
  ['azure-openai-deployments', o200k],
  ['anthropic', claude47],
  ['gemini', gemini],
  ['vertex', gemini],
  ['vertex-global', gemini],
  ['deepseek', deepseek],
])

/** The rule for a model; never none. */
export function findTokenRule({ provider, model }: MeteredModel): TokenRule {
  const name = model.toLowerCase()
  const row = byName.find(([part]) => name.includes(part))
  return row?.[1] ?? byProvider.get(provider) ?? unknown
}

/** For texts whose model is not known. */
export const unknownModelRule: TokenRule = unknown

/** Have the model's vocabulary ready, so that the next estimate for it counts. */
export async function loadTokenizer(model: MeteredModel): Promise<void> {
  await loadVocabulary(findTokenRule(model).vocabulary)
}
