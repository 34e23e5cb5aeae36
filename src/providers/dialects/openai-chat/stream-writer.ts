/**
 * Canonical events → chunks of a streamed chat completion: role first, one chunk a delta, the finish reason, the
 * usage chunk with empty `choices` where asked for, `[DONE]`. A delta costs one string concatenation and the JSON
 * text of its content.
 * Bound: one small record per open part, at most 4,096 parts a stream.
 */
import type { CanonicalEvent } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { StreamWriter, WriteResponseContext } from '../../dialect.ts'
import { nativeResponseFields } from '../../native.ts'
import { stringOr } from '../../reading.ts'
import { writeStreamError } from '../openai-errors.ts'
import { finishReasonOf, speaksLegacyFunctions } from './response.ts'
import { writeUsageFigures } from './usage.ts'

const dialect = 'openai-chat'
const maxParts = 4096

type EventOf<Type extends CanonicalEvent['type']> = CanonicalEvent & { type: Type }

interface ChoiceState {
  /** `…"choices":[{"index":<index>,"delta":` */
  readonly head: string
  calls: number
  /** What the stop reason depends on. */
  readonly seen: { type: 'tool-call' | 'refusal'; native?: { dialect: typeof dialect; fields: JsonObject } }[]
}

/** How deltas of a part are framed: text between `before` and `after`. */
interface Frame {
  readonly before: string
  readonly after: string
}

export function streamWriter(ctx: WriteResponseContext): StreamWriter {
  const legacy = speaksLegacyFunctions(ctx.request)
  const withUsage = ctx.request.streamUsage === true
  const tail = withUsage ? '],"usage":null}\n\n' : ']}\n\n'
  const choices = new Map<number, ChoiceState>()
  const frames = new Map<number, Frame>()
  let head = ''
  let closed = false

  function start(event: EventOf<'start'>): string {
    const { service_tier: tier, ...own } = nativeResponseFields(event.native, dialect)
    const fields = JSON.stringify({
      ...own,
      id: event.id,
      object: 'chat.completion.chunk',
      created: event.created || (ctx.created ?? 0),
      model: ctx.model,
      service_tier: tier,
    })
    head = `data: ${fields.slice(0, -1)},"choices":[`
    return ''
  }

  function chunk(choice: ChoiceState, delta: JsonObject, rest?: JsonObject): string {
    const more = rest === undefined ? '' : `,${JSON.stringify(rest).slice(1, -1)}`
    return `${choice.head}${JSON.stringify(delta)},"logprobs":null,"finish_reason":null${more}}${tail}`
  }

  /** The choice and, when it is new, the chunk with the role. */
  function choiceOf(index: number): readonly [ChoiceState, string] {
    const known = choices.get(index)
    if (known !== undefined) return [known, '']
    const choice: ChoiceState = { head: `${head}{"index":${index},"delta":`, calls: 0, seen: [] }
    if (choices.size < maxParts) choices.set(index, choice)
    return [choice, chunk(choice, { role: 'assistant', content: '', refusal: null })]
  }

  function frame(choice: ChoiceState, before: string, after: string): Frame {
    return { before: choice.head + before, after: `${after},"logprobs":` }
  }

  function openCall(choice: ChoiceState, event: EventOf<'part-start'>): readonly [Frame, string] {
    const called = { name: event.name ?? '', arguments: '' }
    if (legacy || event.native?.fields['function_call'] === true) {
      choice.seen.push({ type: 'tool-call', native: { dialect, fields: { function_call: true } } })
      return [frame(choice, '{"function_call":{"arguments":', '}}'), chunk(choice, { function_call: called })]
    }
    const index = choice.calls
    choice.calls += 1
    choice.seen.push({ type: 'tool-call' })
    const call = { index, id: event.callId ?? `call_${index}`, type: 'function', function: called }
    return [
      frame(choice, `{"tool_calls":[{"index":${index},"function":{"arguments":`, '}}]}'),
      chunk(choice, { tool_calls: [call] }),
    ]
  }

  function openOpaque(
    choice: ChoiceState,
    event: EventOf<'part-start'>,
  ): readonly [Frame | undefined, string] {
    if (event.native?.dialect !== dialect) {
      const field = stringOr(event.native?.fields['type'], 'opaque')
      ctx.downgrade({ field, reason: 'the response held a part that this API cannot carry' })
      return [undefined, '']
    }
    const { delta, ...rest } = event.native.fields
    if (rest['type'] === 'custom' && isJsonObject(rest['custom'])) {
      const index = choice.calls
      choice.calls += 1
      return [
        frame(choice, `{"tool_calls":[{"index":${index},"custom":{"input":`, '}}]}'),
        chunk(choice, { tool_calls: [{ index, ...rest }] }),
      ]
    }
    return [
      undefined,
      chunk(choice, isJsonObject(delta) ? delta : {}, Object.keys(rest).length > 0 ? rest : undefined),
    ]
  }

  function open(event: EventOf<'part-start'>): string {
    const [choice, role] = choiceOf(event.choice)
    let opened: Frame | undefined
    let text = ''
    switch (event.kind) {
      case 'text':
        opened = frame(choice, '{"content":', '}')
        break
      case 'refusal':
        choice.seen.push({ type: 'refusal' })
        opened = frame(choice, '{"refusal":', '}')
        break
      case 'reasoning':
        opened = frame(
          choice,
          event.native?.fields['reasoning'] === true ? '{"reasoning":' : '{"reasoning_content":',
          '}',
        )
        break
      case 'tool-call':
        ;[opened, text] = openCall(choice, event)
        break
      case 'opaque':
        ;[opened, text] = openOpaque(choice, event)
        break
    }
    if (opened !== undefined && frames.size < maxParts) frames.set(partKey(event), opened)
    return role + text
  }

  function delta(event: EventOf<'delta'>): string {
    const opened = frames.get(partKey(event))
    if (opened === undefined) return ''
    const logprobs = event.logprobs === undefined ? 'null' : JSON.stringify(event.logprobs)
    const extra = event.native === undefined ? '' : beside(event)
    return `${opened.before}${JSON.stringify(event.text)}${opened.after}${logprobs},"finish_reason":null}${tail}${extra}`
  }

  /** What stood beside a delta of this dialect, as a chunk of its own: chunks add up. */
  function beside(event: EventOf<'delta'>): string {
    const { delta: more, ...rest } = nativeResponseFields(event.native, dialect)
    const choice = choices.get(event.choice)
    if (choice === undefined || (more === undefined && Object.keys(rest).length === 0)) return ''
    return chunk(choice, isJsonObject(more) ? more : {}, Object.keys(rest).length > 0 ? rest : undefined)
  }

  function end(event: EventOf<'part-end'>): string {
    frames.delete(partKey(event))
    if (event.signature === undefined && event.encrypted === undefined) return ''
    const [choice] = choiceOf(event.choice)
    const detail: JsonObject =
      event.encrypted === undefined
        ? { type: 'reasoning.text', signature: event.signature }
        : { type: 'reasoning.encrypted', data: event.encrypted }
    return chunk(choice, { reasoning_details: [detail] })
  }

  function finish(event: EventOf<'finish'>): string {
    const [choice, role] = choiceOf(event.choice)
    const own = nativeResponseFields(event.native, dialect)
    const rest: JsonObject = {
      logprobs: null,
      finish_reason: finishReasonOf(event.stopReason, choice.seen),
      ...own,
    }
    return `${role}${choice.head}{},${JSON.stringify(rest).slice(1)}${tail}`
  }

  function usage(event: EventOf<'usage'>): string {
    if (!withUsage) return ''
    const own: JsonValue | undefined = nativeResponseFields(event.native, dialect)['usage']
    return `${head}],"usage":${JSON.stringify(own ?? writeUsageFigures(event.usage))}}\n\n`
  }

  function write(event: CanonicalEvent): string {
    switch (event.type) {
      case 'delta':
        return delta(event)
      case 'part-start':
        return open(event)
      case 'part-end':
        return end(event)
      case 'start':
        return start(event)
      case 'finish':
        return finish(event)
      case 'usage':
        return usage(event)
      case 'error':
        closed = true
        return writeStreamError(event.error)
      case 'end':
        return closed ? '' : 'data: [DONE]\n\n'
    }
  }

  return { contentType: 'text/event-stream; charset=utf-8', write }
}

/** One number for choice and part; parts past the bound share no key with others. */
function partKey(event: { readonly choice: number; readonly part: number }): number {
  return event.choice * 65_536 + event.part
}
