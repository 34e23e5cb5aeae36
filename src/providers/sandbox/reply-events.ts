/**
 * A canonical response cut into the events of a stream, one word or so at a time, choice after choice. Lazy: a long
 * answer is never held as a list of events.
 */
import type { CanonicalChoice, CanonicalEvent, CanonicalResponse, Part } from '../../domain/canonical.ts'

const argumentChunk = 24

/** Words with the space behind them, so that the pieces add up to the text. */
function* cutWords(text: string): Generator<string> {
  for (const match of text.matchAll(/\s*\S+\s?|\s+$/g)) yield match[0]
}

function* cutEvenly(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += argumentChunk) yield text.slice(at, at + argumentChunk)
}

interface Streamed {
  readonly start: Partial<Extract<CanonicalEvent, { type: 'part-start' }>> & {
    readonly kind: 'text' | 'reasoning' | 'refusal' | 'tool-call'
  }
  readonly pieces: Iterable<string>
  readonly signature?: string
}

function describePart(part: Part): Streamed | undefined {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return { start: { kind: part.type }, pieces: cutWords(part.text) }
    case 'reasoning':
      return {
        start: { kind: 'reasoning' },
        pieces: cutWords(part.text),
        ...(part.signature === undefined ? {} : { signature: part.signature }),
      }
    case 'tool-call':
      return {
        start: { kind: 'tool-call', callId: part.id, name: part.name },
        pieces: cutEvenly(part.arguments),
      }
    default:
      return undefined
  }
}

function* writeChoice(choice: CanonicalChoice): Generator<CanonicalEvent> {
  let number = 0
  for (const part of choice.parts) {
    const streamed = describePart(part)
    if (streamed === undefined) continue
    const place = { choice: choice.index, part: number }
    number += 1
    yield { type: 'part-start', ...place, ...streamed.start }
    for (const text of streamed.pieces) yield { type: 'delta', ...place, text }
    const { signature } = streamed
    yield { type: 'part-end', ...place, ...(signature === undefined ? {} : { signature }) }
  }
  const { index, stopReason, stopSequence } = choice
  yield {
    type: 'finish',
    choice: index,
    stopReason,
    ...(stopSequence === undefined ? {} : { stopSequence }),
  }
}

/** The events of `response`, in the order that `CanonicalEvent` describes. */
export function* streamReply(response: CanonicalResponse): Generator<CanonicalEvent> {
  const { id, model, created, usage } = response
  const known = usage === undefined ? {} : { usage: { ...usage, outputTokens: 0, reasoningTokens: 0 } }
  yield { type: 'start', id, model, created, ...known }
  for (const choice of response.choices) yield* writeChoice(choice)
  if (usage !== undefined) yield { type: 'usage', usage }
  yield { type: 'end' }
}
