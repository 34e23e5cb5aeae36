/**
 * Vocabularies of byte pair encodings: the ranks that OpenAI publishes, as `gpt-tokenizer` carries them. Its own encoder
 * is not used here: it holds a vocabulary as strings (70 MB a thread for o200k_base), remembers 100,000 pieces that
 * callers choose, and takes quadratic time for one long piece. As bytes with a table of hashes the larger vocabulary
 * takes 5 MB.
 *
 *   bytes   ┌──┬───┬─────┬─ …     every token, one after the other
 *   starts  0  2   5     10       where token n begins; the next one's start is its end
 *   slots   hash(token) → token + 1, open addressing, linear probing
 *
 * Loaded at the first question, once per thread, in slices that leave the event loop alone; until then there is none.
 */
import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CL100K_TOKEN_SPLIT_REGEX, O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants'

export type VocabularyName = 'o200k_base' | 'cl100k_base'

export interface Vocabulary {
  readonly bytes: Uint8Array
  readonly starts: Uint32Array
  readonly slots: Int32Array
  /** Longest token, bytes. */
  readonly longest: number
  /** Cuts a text into pieces that are encoded apart; sticky state is the user's. */
  readonly split: RegExp
}

interface VocabularyRow {
  readonly split: RegExp
  readonly tokens: number
  /** A power of two, at least 1.3 times the tokens. */
  readonly slots: number
}

const rows: Readonly<Record<VocabularyName, VocabularyRow>> = {
  o200k_base: { split: O200K_TOKEN_SPLIT_REGEX, tokens: 199_998, slots: 1 << 19 },
  cl100k_base: { split: CL100K_TOKEN_SPLIT_REGEX, tokens: 100_256, slots: 1 << 18 },
}

const loaded = new Map<VocabularyName, Vocabulary>()
const loading = new Map<VocabularyName, Promise<Vocabulary>>()

/** The vocabulary, or null while it is being loaded; the first question starts that. */
export function vocabularyAtHand(name: VocabularyName): Vocabulary | null {
  const vocabulary = loaded.get(name)
  if (vocabulary !== undefined) return vocabulary
  // Nobody waits for it here: without it, estimates stay coarser.
  loadVocabulary(name).catch(() => undefined)
  return null
}

/** @throws when the package's file is missing or is not what it should be */
export function loadVocabulary(name: VocabularyName): Promise<Vocabulary> {
  const under = loading.get(name)
  if (under !== undefined) return under
  const begun = load(name)
  loading.set(name, begun)
  return begun
}

async function load(name: VocabularyName): Promise<Vocabulary> {
  const file = fileURLToPath(import.meta.resolve(`gpt-tokenizer/data/${name}.tiktoken`))
  const vocabulary = await build(await readFile(file), rows[name])
  loaded.set(name, vocabulary)
  return vocabulary
}

const tokensPerSlice = 4096
const space = 0x20
const lineFeed = 0x0a

/** From lines of `base64(token) rank`, ranks counting from 0. */
async function build(text: Buffer, row: VocabularyRow): Promise<Vocabulary> {
  const bytes = Buffer.allocUnsafeSlow(Math.ceil((text.length * 3) / 4))
  const starts = new Uint32Array(row.tokens + 1)
  const slots = new Int32Array(row.slots)
  let longest = 0
  let at = 0
  let start = 0
  for (let token = 0; token < row.tokens; token += 1) {
    if (token % tokensPerSlice === 0) await setImmediate()
    const end = text.indexOf(space, at)
    const length = end < 0 ? 0 : bytes.write(text.toString('latin1', at, end), start, 'base64')
    if (length === 0) throw new TypeError(`the vocabulary ends after ${token} of ${row.tokens} tokens`)
    let slot = hashOf(bytes, start, start + length) & (row.slots - 1)
    while (slots[slot] !== 0) slot = (slot + 1) & (row.slots - 1)
    slots[slot] = token + 1
    start += length
    starts[token + 1] = start
    longest = Math.max(longest, length)
    at = text.indexOf(lineFeed, end) + 1
  }
  return { bytes: new Uint8Array(bytes.subarray(0, start)), starts, slots, longest, split: row.split }
}

/** FNV-1a, 32 bits, folded so that low bits depend on all bytes. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}
