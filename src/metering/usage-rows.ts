/**
 * Where each dialect's bytes hold usage figures and generated text. The tap and the body reader are driven by these
 * rows; nothing below them knows a dialect.
 */
import type { DialectId } from '../domain/dialect-id.ts'
import type { JsonObject } from '../domain/json.ts'
import type { TokenUsage } from '../domain/usage.ts'
import { dialects } from '../providers/index.ts'

export interface UsageRow {
  /** Key of the usage object. */
  readonly key: string
  /** Levels of nesting at which the key counts in a stream: deeper ones may be content. */
  readonly streamDepths: readonly number[]
  /** Events end with a line break (server-sent events); otherwise they are binary frames. */
  readonly lines: boolean
  /** Later figures complete earlier ones (Anthropic); otherwise the last ones stand alone. */
  readonly merge: boolean
  /** What stands before generated text in a stream, the commonest first. */
  readonly textNeedles: readonly string[]
  read(usage: JsonObject): TokenUsage | undefined
}

/** Reads a usage object as the dialect would. */
function reader(id: DialectId, key: string): UsageRow['read'] {
  return (usage) => dialects[id].readUsage({ [key]: usage })
}

function row(
  id: DialectId,
  rest: Partial<UsageRow> & Pick<UsageRow, 'streamDepths' | 'textNeedles'>,
): UsageRow {
  const key = rest.key ?? 'usage'
  return Object.freeze({ key, lines: true, merge: false, read: reader(id, key), ...rest })
}

const readResponses = reader('openai-responses', 'usage')
const readChat = reader('openai-chat', 'usage')

export const usageRows: Readonly<Record<DialectId, UsageRow>> = Object.freeze({
  'openai-chat': row('openai-chat', {
    // Depth 2: Groq's `x_groq.usage`.
    streamDepths: [1, 2],
    // `content` and `reasoning_content`; tool arguments; legacy completions.
    textNeedles: ['content":"', '"arguments":"', '"text":"'],
    // Images and audio tell their figures in the words of Responses.
    read: (usage) => readChat(usage) ?? readResponses(usage),
  }),
  'openai-responses': row('openai-responses', { streamDepths: [2], textNeedles: ['"delta":"'] }),
  'anthropic-messages': row('anthropic-messages', {
    streamDepths: [1, 2],
    merge: true,
    textNeedles: ['"text":"', '"thinking":"', '"partial_json":"'],
  }),
  gemini: row('gemini', { key: 'usageMetadata', streamDepths: [1], textNeedles: ['"text":"', '"text": "'] }),
  'bedrock-converse': row('bedrock-converse', {
    streamDepths: [1],
    lines: false,
    textNeedles: ['"text":"', '"input":"'],
  }),
})
