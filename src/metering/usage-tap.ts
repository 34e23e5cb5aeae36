/**
 * Reads the usage figures out of a stream that passes by untouched. Bytes are not parsed: the key is searched for with
 * `indexOf`, and only the small object behind it is taken. Where it stands in its event is proved by counting the
 * braces up to the end of the event, so that figures inside generated content (a tool call whose arguments hold a
 * `usage` object) do not count. A key inside a JSON string cannot match: its quotes are escaped there.
 *
 *   search ──key found──▶ key ──`: {`──▶ object ──closed──▶ tail ──end of event──▶ search
 *
 * Correct however the bytes are cut. Bounds: a key's beginning and one usage object of at most 16 KiB are kept between
 * chunks; at most eight candidates an event.
 */
import type { DialectId } from '../domain/dialect-id.ts'
import { isJsonObject, type JsonObject } from '../domain/json.ts'
import { noUsage, type TokenUsage } from '../domain/usage.ts'
import { estimateTokens } from './estimate-tokens.ts'
import { type UsageRow, usageRows } from './usage-rows.ts'

export interface UsageTap {
  push(chunk: Buffer): void
  /** Output tokens seen so far, estimated from the text that passed. */
  readonly outputTokens: number
  /**
   * The figures of the stream so far; estimated from the bytes seen where it told none.
   * @param estimateInput asked where the stream told nothing of the input
   */
  finish(estimateInput: () => number): TokenUsage
}

const maxObjectBytes = 16_384
const maxCandidates = 8

const quote = 0x22
const backslash = 0x5c
const open = 0x7b
const close = 0x7d
const colon = 0x3a
const lineFeed = 0x0a

const searching = 0
const afterKey = 1
const inObject = 2
const inTail = 3

interface Needles {
  readonly row: UsageRow
  readonly key: Buffer
  readonly texts: readonly Buffer[]
}

function compile(row: UsageRow): Needles {
  return { row, key: Buffer.from(`"${row.key}"`), texts: row.textNeedles.map((text) => Buffer.from(text)) }
}

const compiled: Readonly<Record<DialectId, Needles>> = {
  'openai-chat': compile(usageRows['openai-chat']),
  'openai-responses': compile(usageRows['openai-responses']),
  'anthropic-messages': compile(usageRows['anthropic-messages']),
  gemini: compile(usageRows.gemini),
  'bedrock-converse': compile(usageRows['bedrock-converse']),
}

function parseObject(text: string): JsonObject | undefined {
  if (text === '') return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'latin1').toString('utf8'))
    return isJsonObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/**
 * How much of the beginning of `key` ends `chunk`, not looking before `from`. A key repeats none of its beginning, so
 * the longest is the only.
 */
function endingPart(chunk: Buffer, from: number, key: Buffer): number {
  const last = chunk.length - 1
  if (chunk[last] === lineFeed) return 0
  const at = chunk.lastIndexOf(quote)
  const length = chunk.length - at
  if (at < from || length >= key.length) return 0
  return key.compare(chunk, at, chunk.length, 0, length) === 0 ? length : 0
}

/** No second event fits into fewer bytes: searching further would be wasted. */
const leastEventBytes = 48

/**
 * Length of generated text in `chunk`, roughly: escapes count as written, strings that are cut count to the cut, and
 * only the first kind of text found in a chunk counts.
 */
function countText(chunk: Buffer, needles: readonly Buffer[]): number {
  for (const needle of needles) {
    let total = 0
    let at = chunk.indexOf(needle)
    while (at >= 0) {
      at += needle.length
      let end = chunk.indexOf(quote, at)
      while (end > 0 && chunk[end - 1] === backslash) end = chunk.indexOf(quote, end + 1)
      if (end < 0) end = chunk.length
      total += end - at
      at = chunk.length - end < leastEventBytes ? -1 : chunk.indexOf(needle, end)
    }
    if (total > 0) return total
  }
  return 0
}

interface Candidate {
  readonly text: string
  /** Braces closed in this event when the object ended. */
  readonly closedAt: number
}

class Tap implements UsageTap {
  readonly #needles: Needles
  #state = searching
  /** Bytes of the key that have been met so far, across chunks. */
  #matched = 0
  #object = ''
  #depth = 0
  #inString = false
  #escaped = false
  /** Braces closed minus opened since the first candidate of this event. */
  #closed = 0
  #candidates: Candidate[] = []
  #first = ''
  #last = ''
  #textBytes = 0

  constructor(needles: Needles) {
    this.#needles = needles
  }

  get outputTokens(): number {
    return estimateTokens(this.#textBytes)
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    if (this.#last === '' || this.#needles.row.merge) this.#textBytes += countText(chunk, this.#needles.texts)
    let at = 0
    while (at < chunk.length) {
      if (this.#state === searching) at = this.#search(chunk, at)
      else if (this.#state === afterKey) at = this.#skipToObject(chunk, at)
      else if (this.#state === inObject) at = this.#readObject(chunk, at)
      else at = this.#readTail(chunk, at)
    }
  }

  finish(estimateInput: () => number): TokenUsage {
    if (this.#state === inTail) this.#endEvent()
    const found = this.#figures()
    const outputTokens = estimateTokens(this.#textBytes)
    if (found === undefined) {
      return { ...noUsage, inputTokens: estimateInput(), outputTokens, estimated: true }
    }
    // Only a beginning was told (Anthropic's message_start) before the stream was cut: the rest is estimated.
    const cut = this.#needles.row.merge && this.#first === this.#last && outputTokens > found.outputTokens
    return cut ? { ...found, outputTokens, estimated: true } : found
  }

  #figures(): TokenUsage | undefined {
    const last = parseObject(this.#last)
    if (last === undefined) return undefined
    const { row } = this.#needles
    return row.read(row.merge ? { ...parseObject(this.#first), ...last } : last)
  }

  #search(chunk: Buffer, from: number): number {
    const { key } = this.#needles
    if (this.#matched > 0) {
      const rest = key.length - this.#matched
      const here = Math.min(rest, chunk.length)
      const same = key.compare(chunk, 0, here, this.#matched, this.#matched + here) === 0
      this.#matched = same && here < rest ? this.#matched + here : 0
      if (same) {
        if (here === rest) this.#state = afterKey
        return here
      }
    }
    const at = chunk.length - from < key.length ? -1 : chunk.indexOf(key, from)
    if (at < 0) {
      this.#matched = endingPart(chunk, from, key)
      return chunk.length
    }
    this.#state = afterKey
    return at + key.length
  }

  /** After the key: white space and a colon, then an object, or it was not the key we look for. */
  #skipToObject(chunk: Buffer, from: number): number {
    let at = from
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      if (byte === open) {
        this.#state = inObject
        this.#object = ''
        this.#depth = 0
        this.#inString = false
        this.#escaped = false
        return at
      }
      if (byte !== colon && byte !== 0x20 && byte !== 0x09) {
        this.#state = this.#candidates.length > 0 ? inTail : searching
        return at
      }
    }
    return at
  }

  #readObject(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      if (this.#inString) this.#stepString(byte)
      else if (byte === quote) this.#inString = true
      else if (byte === open) this.#depth += 1
      else if (byte === close) {
        this.#depth -= 1
        if (this.#depth > 0) continue
        this.#object += chunk.toString('latin1', from, at + 1)
        this.#endObject()
        return at + 1
      }
    }
    this.#object += chunk.toString('latin1', from)
    if (this.#object.length > maxObjectBytes) this.#reset()
    return chunk.length
  }

  #stepString(byte: number): void {
    if (this.#escaped) this.#escaped = false
    else if (byte === backslash) this.#escaped = true
    else if (byte === quote) this.#inString = false
  }

  #endObject(): void {
    if (this.#candidates.length < maxCandidates && this.#object.length <= maxObjectBytes) {
      this.#candidates.push({ text: this.#object, closedAt: this.#closed })
    }
    this.#object = ''
    this.#state = inTail
    if (!this.#needles.row.lines) {
      this.#accept(this.#candidates.at(-1))
      this.#reset()
    }
  }

  /** Counts braces to the end of the event; a further key on the way is a further candidate. */
  #readTail(chunk: Buffer, from: number): number {
    const { key } = this.#needles
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      if (this.#inString) {
        this.#stepString(byte)
        this.#matched = this.#matched > 0 && byte === key[this.#matched] ? this.#matched + 1 : 0
        if (this.#matched === key.length) {
          this.#matched = 0
          this.#state = afterKey
          return at + 1
        }
      } else if (byte === quote) {
        this.#inString = true
        this.#matched = 1
      } else if (byte === close) this.#closed += 1
      else if (byte === open) this.#closed -= 1
      else if (byte === lineFeed) {
        this.#endEvent()
        return at + 1
      }
    }
    return chunk.length
  }

  #endEvent(): void {
    const depths = this.#needles.row.streamDepths
    this.#accept(this.#candidates.findLast((one) => depths.includes(this.#closed - one.closedAt)))
    this.#reset()
  }

  #accept(candidate: Candidate | undefined): void {
    if (candidate === undefined) return
    if (this.#first === '') this.#first = candidate.text
    this.#last = candidate.text
  }

  #reset(): void {
    this.#state = searching
    this.#matched = 0
    this.#object = ''
    this.#inString = false
    this.#escaped = false
    this.#closed = 0
    this.#candidates = []
  }
}

/** A tap for streams in `dialect`. */
export function createUsageTap(dialect: DialectId): UsageTap {
  return new Tap(compiled[dialect])
}
