/**
 * Canonical events → chunks of a streamed chat completion: role first, one chunk a delta, the finish reason, the
 * usage chunk with empty `choices` where asked for, `[DONE]`. A delta costs one string concatenation and the JSON
 * text of its content.
 * Bound: one small record per open part, at most 4,096 parts a stream.
 */
import type { CanonicalEvent, Native } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { StreamWriter, WriteResponseContext } from '../../dialect.ts'
import { nativeResponseFields } from '../../native.ts'
import { stringOr } from '../../reading.ts'
import { writeStreamError } from '../openai-errors.ts'
import { finishReasonOf, speaksLegacyFunctions } from './response.ts'
import { writeUsageFigures } from './usage.ts'
import { reasoningDetail } from './write-messages.ts'

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

interface OpenPart extends Frame {
  /** Who made the reasoning. */
  readonly maker: Native | undefined
}

export function streamWriter(ctx: WriteResponseContext): StreamWriter {
  return new Writer(ctx)
}

class Writer implements StreamWriter {
  readonly contentType = 'text/event-stream; charset=utf-8'
  readonly #ctx: WriteResponseContext
  readonly #legacy: boolean
  readonly #withUsage: boolean
  readonly #tail: string
  readonly #choices = new Map<number, ChoiceState>()
  readonly #frames = new Map<number, OpenPart>()
  #head = ''
  #closed = false

  constructor(ctx: WriteResponseContext) {
    this.#ctx = ctx
    this.#legacy = speaksLegacyFunctions(ctx.request)
    this.#withUsage = ctx.request.streamUsage === true
    this.#tail = this.#withUsage ? '],"usage":null}\n\n' : ']}\n\n'
  }

  #start(event: EventOf<'start'>): string {
    const { service_tier: tier, ...own } = nativeResponseFields(event.native, dialect)
    const fields = JSON.stringify({
      ...own,
      id: event.id || (this.#ctx.id ?? ''),
      object: 'chat.completion.chunk',
      created: event.created || (this.#ctx.created ?? 0),
      model: this.#ctx.model,
      service_tier: tier,
    })
    this.#head = `data: ${fields.slice(0, -1)},"choices":[`
    return ''
  }

  #chunk(choice: ChoiceState, delta: JsonObject, rest?: JsonObject): string {
    const more = rest === undefined ? '' : `,${JSON.stringify(rest).slice(1, -1)}`
    return `${choice.head}${JSON.stringify(delta)},"logprobs":null,"finish_reason":null${more}}${this.#tail}`
  }

  /** The choice and, when it is new, the chunk with the role. */
  #choiceOf(index: number): readonly [ChoiceState, string] {
    const known = this.#choices.get(index)
    if (known !== undefined) return [known, '']
    const choice: ChoiceState = { head: `${this.#head}{"index":${index},"delta":`, calls: 0, seen: [] }
    if (this.#choices.size < maxParts) this.#choices.set(index, choice)
    return [choice, this.#chunk(choice, { role: 'assistant', content: '', refusal: null })]
  }

  #frame(choice: ChoiceState, before: string, after: string): Frame {
    return { before: choice.head + before, after: `${after},"logprobs":` }
  }

  #openCall(choice: ChoiceState, event: EventOf<'part-start'>): readonly [Frame, string] {
    const called = { name: event.name ?? '', arguments: '' }
    if (this.#legacy || event.native?.fields['function_call'] === true) {
      choice.seen.push({ type: 'tool-call', native: { dialect, fields: { function_call: true } } })
      return [
        this.#frame(choice, '{"function_call":{"arguments":', '}}'),
        this.#chunk(choice, { function_call: called }),
      ]
    }
    const index = choice.calls
    choice.calls += 1
    choice.seen.push({ type: 'tool-call' })
    const call = { index, id: event.callId ?? `call_${index}`, type: 'function', function: called }
    return [
      this.#frame(choice, `{"tool_calls":[{"index":${index},"function":{"arguments":`, '}}]}'),
      this.#chunk(choice, { tool_calls: [call] }),
    ]
  }

  #openOpaque(choice: ChoiceState, event: EventOf<'part-start'>): readonly [Frame | undefined, string] {
    if (event.native?.dialect !== dialect) {
      const field = stringOr(event.native?.fields['type'], 'opaque')
      this.#ctx.downgrade({ field, reason: 'the response held a part that this API cannot carry' })
      return [undefined, '']
    }
    const { delta, ...rest } = event.native.fields
    if (rest['type'] === 'custom' && isJsonObject(rest['custom'])) {
      const index = choice.calls
      choice.calls += 1
      return [
        this.#frame(choice, `{"tool_calls":[{"index":${index},"custom":{"input":`, '}}]}'),
        this.#chunk(choice, { tool_calls: [{ index, ...rest }] }),
      ]
    }
    return [
      undefined,
      this.#chunk(choice, isJsonObject(delta) ? delta : {}, Object.keys(rest).length > 0 ? rest : undefined),
    ]
  }

  #open(event: EventOf<'part-start'>): string {
    const [choice, role] = this.#choiceOf(event.choice)
    let opened: Frame | undefined
    let text = ''
    switch (event.kind) {
      case 'text':
        opened = this.#frame(choice, '{"content":', '}')
        break
      case 'refusal':
        choice.seen.push({ type: 'refusal' })
        opened = this.#frame(choice, '{"refusal":', '}')
        break
      case 'reasoning':
        opened = this.#frame(
          choice,
          nativeResponseFields(event.native, dialect)['reasoning'] === true
            ? '{"reasoning":'
            : '{"reasoning_content":',
          '}',
        )
        break
      case 'tool-call':
        ;[opened, text] = this.#openCall(choice, event)
        break
      case 'opaque':
        ;[opened, text] = this.#openOpaque(choice, event)
        break
    }
    if (opened !== undefined && this.#frames.size < maxParts) {
      this.#frames.set(partKey(event), { ...opened, maker: event.native })
    }
    return role + text
  }

  #delta(event: EventOf<'delta'>): string {
    const opened = this.#frames.get(partKey(event))
    if (opened === undefined) return ''
    const logprobs = event.logprobs === undefined ? 'null' : JSON.stringify(event.logprobs)
    const extra = event.native === undefined ? '' : this.#beside(event)
    return `${opened.before}${JSON.stringify(event.text)}${opened.after}${logprobs},"finish_reason":null}${this.#tail}${extra}`
  }

  /** What stood beside a delta of this dialect, as a chunk of its own: chunks add up. */
  #beside(event: EventOf<'delta'>): string {
    const { delta: more, ...rest } = nativeResponseFields(event.native, dialect)
    const choice = this.#choices.get(event.choice)
    if (choice === undefined || (more === undefined && Object.keys(rest).length === 0)) return ''
    return this.#chunk(
      choice,
      isJsonObject(more) ? more : {},
      Object.keys(rest).length > 0 ? rest : undefined,
    )
  }

  #end(event: EventOf<'part-end'>): string {
    const maker = this.#frames.get(partKey(event))?.maker
    this.#frames.delete(partKey(event))
    const detail = reasoningDetail(event, maker)
    if (detail === undefined) return ''
    const [choice] = this.#choiceOf(event.choice)
    return this.#chunk(choice, { reasoning_details: [detail] })
  }

  #finish(event: EventOf<'finish'>): string {
    const [choice, role] = this.#choiceOf(event.choice)
    const own = nativeResponseFields(event.native, dialect)
    const rest: JsonObject = {
      logprobs: null,
      finish_reason: finishReasonOf(event.stopReason, choice.seen),
      ...own,
    }
    return `${role}${choice.head}{},${JSON.stringify(rest).slice(1)}${this.#tail}`
  }

  #usage(event: EventOf<'usage'>): string {
    if (!this.#withUsage) return ''
    const own: JsonValue | undefined = nativeResponseFields(event.native, dialect)['usage']
    return `${this.#head}],"usage":${JSON.stringify(own ?? writeUsageFigures(event.usage))}}\n\n`
  }

  write(event: CanonicalEvent): string {
    switch (event.type) {
      case 'delta':
        return this.#delta(event)
      case 'part-start':
        return this.#open(event)
      case 'part-end':
        return this.#end(event)
      case 'start':
        return this.#start(event)
      case 'finish':
        return this.#finish(event)
      case 'usage':
        return this.#usage(event)
      case 'error':
        this.#closed = true
        return writeStreamError(event.error)
      case 'end':
        return this.#closed ? '' : 'data: [DONE]\n\n'
    }
  }
}

/** One number for choice and part; parts past the bound share no key with others. */
function partKey(event: { readonly choice: number; readonly part: number }): number {
  return event.choice * 65_536 + event.part
}
