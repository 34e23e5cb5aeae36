/**
 * Two facts that traces tell of an answer, read from the bytes as they pass: why it ended and which model gave it. What
 * is found is a word of a fixed list, or a model name that stands before any content; a text of a model is never taken for either.
 */
const finishReasons: ReadonlySet<string> = new Set([
  ...['stop', 'length', 'tool_calls', 'content_filter', 'function_call'],
  ...['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'pause_turn', 'refusal'],
  ...['STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION', 'LANGUAGE', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT'],
  ...['SPII', 'MALFORMED_FUNCTION_CALL', 'guardrail_intervened', 'content_filtered'],
])
/** Ends `finish_reason`, `stop_reason`, `finishReason` and `stopReason` alike. */
const reasonKeyEnd = Buffer.from('eason":')
const longestReason = 40
const noneFound = ''

/** The last one in `chunk`; empty: none. One that is torn between two chunks is not found. */
export function findFinishReason(chunk: Buffer): string {
  let at = chunk.lastIndexOf(reasonKeyEnd)
  while (at >= 0) {
    const start = at + reasonKeyEnd.length
    const text = chunk.toString('latin1', start, Math.min(chunk.length, start + longestReason)).trimStart()
    const end = text.indexOf('"', 1)
    const word = text.startsWith('"') && end > 0 ? text.slice(1, end) : noneFound
    if (finishReasons.has(word)) return word
    if (at === 0) return noneFound
    at = chunk.lastIndexOf(reasonKeyEnd, at - 1)
  }
  return noneFound
}

/** How far a model name may stand from the beginning of an answer. */
const headBytes = 512
const longestName = 110
const modelKeys = ['"model":', '"modelVersion":']
/** What follows one of these was written by a model, or for it. */
const contentKeys = ['"choices"', '"content"', '"output"', '"candidates"', '"delta"']
const modelName = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,99}$/

/** The model named at the beginning of an answer; empty: none is. */
export function findResponseModel(chunk: Buffer): string {
  const text = chunk.toString('latin1', 0, Math.min(chunk.length, headBytes))
  for (const key of modelKeys) {
    const at = text.indexOf(key)
    if (at < 0) continue
    const head = text.slice(0, at)
    if (contentKeys.some((content) => head.includes(content))) continue
    const rest = text.slice(at + key.length, at + key.length + longestName).trimStart()
    const name = rest.slice(1, rest.indexOf('"', 1))
    if (rest.startsWith('"') && modelName.test(name)) return name
  }
  return noneFound
}
