/**
 * Canonical events → the event sequence of a streamed Responses response, numbered: created, in_progress, per item
 * added … done, then completed or incomplete with the whole output, as the protocol demands. So the output text is
 * held until the end.
 * Bound: 16 Mi characters of output and 1,024 items; past that the stream ends with an error.
 */
import type { CanonicalError, CanonicalEvent, Native, StopReason } from '../../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import { faults } from '../../../faults/catalogue.ts'
import type { StreamWriter, WriteResponseContext } from '../../dialect.ts'
import { nativeResponseFields } from '../../native.ts'
import { isJsonArray, stringOr } from '../../reading.ts'
import { sseEvent } from '../../sse.ts'
import { errorFields } from '../openai-errors.ts'
import { echoOf, outcomeOf } from './response.ts'
import { writeUsageFigures } from './usage.ts'
import { encryptedContent } from './write-items.ts'

const dialect = 'openai-responses'
const maxOutputLength = 16 * 1024 * 1024
const maxItems = 1024

type EventOf<Type extends CanonicalEvent['type']> = CanonicalEvent & { type: Type }
type Wire = Record<string, JsonValue | undefined>

interface PartState {
  readonly kind: 'text' | 'refusal' | 'reasoning' | 'tool-call' | 'opaque'
  readonly item: ItemState
  /** Place in the item's content (texts) or summary (reasoning). */
  index: number
  /** The text of this part, or of the summary part that is open. */
  text: string
  /** Deltas: `data` up to the sequence number, then up to the text. */
  head: string
  tail: string
  readonly logprobs: JsonValue[]
  /** Who made the reasoning. */
  readonly maker: Native | undefined
}

interface ItemState {
  readonly id: string
  readonly index: number
  readonly wire: Wire
  readonly content: JsonValue[]
}

export function streamWriter(ctx: WriteResponseContext): StreamWriter {
  return new Writer(ctx)
}

class Writer implements StreamWriter {
  readonly contentType = 'text/event-stream; charset=utf-8'
  readonly #ctx: WriteResponseContext
  readonly #parts = new Map<number, PartState>()
  readonly #output: ItemState[] = []
  #sequence = 0
  #length = 0
  #message: ItemState | undefined
  #base: JsonObject = {}
  #responseId = ''
  #foreign = true
  #stopReason: StopReason = 'stop'
  #ending: JsonObject = {}
  #usage: JsonObject | null = null
  #closed = false

  constructor(ctx: WriteResponseContext) {
    this.#ctx = ctx
  }

  /** One event with the next sequence number. */
  #send(type: string, fields: JsonObject): string {
    return sseEvent(JSON.stringify({ type, sequence_number: this.#sequence++, ...fields }), type)
  }

  #start(event: EventOf<'start'>): string {
    this.#foreign = event.native?.dialect !== dialect
    this.#responseId = event.id || (this.#ctx.id ?? '')
    this.#base = {
      ...(this.#foreign
        ? { ...echoOf(this.#ctx.request), ...outcomeOf('stop') }
        : nativeResponseFields(event.native, dialect)),
      id: this.#responseId,
      object: 'response',
      created_at: event.created || (this.#ctx.created ?? 0),
      model: this.#ctx.model,
    }
    const response = { ...this.#base, status: 'in_progress', output: [], usage: null }
    return this.#send('response.created', { response }) + this.#send('response.in_progress', { response })
  }

  #openItem(prefix: string, wire: Wire, own: JsonObject | undefined): [ItemState, string] {
    const index = this.#output.length
    const id = stringOr(own?.['id'], `${prefix}_${this.#responseId}_${index}`)
    const item: ItemState = { id, index, wire: { id, ...own, ...wire }, content: [] }
    this.#output.push(item)
    return [item, this.#send('response.output_item.added', { output_index: index, item: item.wire })]
  }

  #closeItem(item: ItemState, fields: JsonObject): string {
    Object.assign(item.wire, fields)
    return this.#send('response.output_item.done', { output_index: item.index, item: item.wire })
  }

  #closeMessage(status: 'completed' | 'incomplete' = 'completed'): string {
    if (this.#message === undefined) return ''
    const item = this.#message
    this.#message = undefined
    return this.#closeItem(item, { status, content: item.content })
  }

  #remember(
    event: EventOf<'part-start'>,
    part: Omit<PartState, 'head' | 'tail' | 'text' | 'logprobs' | 'maker'>,
  ): void {
    this.#parts.set(event.part, { ...part, ...frame(part), text: '', logprobs: [], maker: event.native })
  }

  #openContent(event: EventOf<'part-start'>, kind: 'text' | 'refusal'): string {
    const own = ownItem(event)
    let text = ''
    if (this.#message === undefined || own !== undefined) {
      text = this.#closeMessage()
      const wire = { type: 'message', status: 'in_progress', role: 'assistant', content: [] }
      const [item, added] = this.#openItem('msg', wire, own)
      this.#message = item
      text += added
    }
    const index = this.#message.content.length
    const part = contentPart(kind, '', [])
    this.#message.content.push(part)
    this.#remember(event, { kind, item: this.#message, index })
    return (
      text +
      this.#send('response.content_part.added', { ...place(this.#message), content_index: index, part })
    )
  }

  #openReasoning(event: EventOf<'part-start'>): string {
    const [item, added] = this.#openItem('rs', { type: 'reasoning', summary: [] }, ownItem(event))
    this.#remember(event, { kind: 'reasoning', item, index: -1 })
    return added
  }

  #openCall(event: EventOf<'part-start'>): string {
    const own = nativeResponseFields(event.native, dialect)
    const wire = {
      type: 'function_call',
      status: 'in_progress',
      arguments: '',
      call_id: event.callId ?? '',
      name: event.name ?? '',
    }
    const [item, added] = this.#openItem('fc', wire, own)
    this.#remember(event, { kind: 'tool-call', item, index: 0 })
    return added
  }

  #openOpaque(event: EventOf<'part-start'>): string {
    const own = ownItem(event)
    if (own === undefined) {
      const field = stringOr(event.native?.fields['type'], 'opaque')
      this.#ctx.downgrade({ field, reason: 'the response held a part that this API cannot carry' })
      return ''
    }
    const [item, added] = this.#openItem('item', {}, own)
    this.#remember(event, { kind: 'opaque', item, index: 0 })
    return added
  }

  #open(event: EventOf<'part-start'>): string {
    if (event.choice !== 0) return ''
    if (this.#output.length >= maxItems) return this.#fail(tooLarge())
    switch (event.kind) {
      case 'text':
      case 'refusal':
        return this.#openContent(event, event.kind)
      case 'reasoning':
        return this.#closeMessage() + this.#openReasoning(event)
      case 'tool-call':
        return this.#closeMessage() + this.#openCall(event)
      case 'opaque':
        return this.#closeMessage() + this.#openOpaque(event)
    }
  }

  #delta(event: EventOf<'delta'>): string {
    const part = event.choice === 0 ? this.#parts.get(event.part) : undefined
    if (part === undefined) return ''
    this.#length += event.text.length
    if (this.#length > maxOutputLength) return this.#fail(tooLarge())
    if (event.native !== undefined) {
      const special = this.#ownDelta(event, part)
      if (special !== undefined) return special
    }
    if (part.kind === 'opaque') return ''
    const before = part.kind === 'reasoning' && part.index === -1 ? this.#openSummary(part) : ''
    part.text += event.text
    let tail = part.tail
    if (event.logprobs !== undefined) tail = withLogprobs(part, event.logprobs)
    return `${before}${part.head}${this.#sequence++}${tail}${JSON.stringify(event.text)}}\n\n`
  }

  /** Events of this dialect that ride on a delta: a new summary part, or an event to pass on. */
  #ownDelta(event: EventOf<'delta'>, part: PartState): string | undefined {
    const own = nativeResponseFields(event.native, dialect)
    if (own['paragraph'] === true) return this.#closeSummary(part) + this.#openSummary(part)
    const passed = own['event']
    if (!isJsonObject(passed) || typeof passed['type'] !== 'string') return undefined
    const { type, sequence_number: _, ...fields } = passed
    return this.#send(type as string, { ...fields, output_index: part.item.index })
  }

  #openSummary(part: PartState): string {
    part.index += 1
    part.text = ''
    const frames = frame(part)
    part.head = frames.head
    part.tail = frames.tail
    const fields = {
      ...place(part.item),
      summary_index: part.index,
      part: { type: 'summary_text', text: '' },
    }
    return this.#send('response.reasoning_summary_part.added', fields)
  }

  #closeSummary(part: PartState): string {
    if (part.index === -1) return ''
    const at = { ...place(part.item), summary_index: part.index }
    const whole = { type: 'summary_text', text: part.text }
    part.item.content.push(whole)
    return (
      this.#send('response.reasoning_summary_text.done', { ...at, text: part.text }) +
      this.#send('response.reasoning_summary_part.done', { ...at, part: whole })
    )
  }

  #end(event: EventOf<'part-end'>): string {
    const part = event.choice === 0 ? this.#parts.get(event.part) : undefined
    if (part === undefined) return ''
    this.#parts.delete(event.part)
    const own = nativeResponseFields(event.native, dialect)
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return this.#endContent(part, part.kind, own)
      case 'reasoning':
        return this.#endReasoning(part, event, own)
      case 'tool-call': {
        const done = { ...place(part.item), name: part.item.wire['name'], arguments: part.text }
        return (
          this.#send('response.function_call_arguments.done', done) +
          this.#closeItem(part.item, { status: 'completed', arguments: part.text })
        )
      }
      case 'opaque':
        return this.#closeItem(part.item, isJsonObject(own['item']) ? own['item'] : {})
    }
  }

  #endContent(part: PartState, kind: 'text' | 'refusal', own: JsonObject): string {
    const at = { ...place(part.item), content_index: part.index }
    const whole = { ...contentPart(kind, part.text, part.logprobs), ...own }
    part.item.content[part.index] = whole
    const done =
      kind === 'text'
        ? this.#send('response.output_text.done', { ...at, text: part.text, logprobs: part.logprobs })
        : this.#send('response.refusal.done', { ...at, refusal: part.text })
    return done + this.#send('response.content_part.done', { ...at, part: whole })
  }

  #endReasoning(part: PartState, event: EventOf<'part-end'>, own: JsonObject): string {
    const closing = this.#closeSummary(part)
    const item = isJsonObject(own['item']) ? own['item'] : undefined
    const proof = item === undefined ? encryptedContent(event, part.maker) : {}
    const written = { summary: part.item.content, ...proof }
    return closing + this.#closeItem(part.item, { ...item, ...written })
  }

  #complete(): string {
    const outcome = this.#foreign ? outcomeOf(this.#stopReason) : this.#ending
    const status = stringOr(outcome['status'], 'completed')
    const done = this.#closeMessage(status === 'incomplete' ? status : 'completed')
    const response = {
      ...this.#base,
      ...outcome,
      status,
      output: this.#output.map((item) => item.wire),
      usage: this.#usage,
    }
    return (
      done + this.#send(status === 'incomplete' ? 'response.incomplete' : 'response.completed', { response })
    )
  }

  #fail(error: CanonicalError): string {
    this.#closed = true
    return this.#send('error', errorEvent(error))
  }

  #finish(event: EventOf<'finish'>): string {
    if (event.choice !== 0) return ''
    this.#stopReason = event.stopReason
    // Not every end is the provider's own: a guard may have brought it about.
    this.#ending =
      event.native === undefined ? outcomeOf(event.stopReason) : nativeResponseFields(event.native, dialect)
    return ''
  }

  #figures(event: { readonly usage: TokenUsage; readonly native?: EventOf<'usage'>['native'] }): string {
    const own = nativeResponseFields(event.native, dialect)['usage']
    this.#usage = isJsonObject(own) ? own : writeUsageFigures(event.usage)
    return ''
  }

  write(event: CanonicalEvent): string {
    if (this.#closed) return ''
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
        return this.#figures(event)
      case 'error':
        return this.#fail(event.error)
      case 'end':
        this.#closed = true
        return this.#complete()
    }
  }
}

function place(item: ItemState): { readonly item_id: string; readonly output_index: number } {
  return { item_id: item.id, output_index: item.index }
}

function ownItem(event: EventOf<'part-start'>): JsonObject | undefined {
  const item = nativeResponseFields(event.native, dialect)['item']
  return isJsonObject(item) ? item : undefined
}

function contentPart(kind: 'text' | 'refusal', text: string, logprobs: JsonValue[]): JsonObject {
  return kind === 'refusal'
    ? { type: 'refusal', refusal: text }
    : { type: 'output_text', text, annotations: [], logprobs }
}

const deltaTypes: Readonly<Record<PartState['kind'], string>> = {
  text: 'response.output_text.delta',
  refusal: 'response.refusal.delta',
  reasoning: 'response.reasoning_summary_text.delta',
  'tool-call': 'response.function_call_arguments.delta',
  opaque: '',
}

/** The constant parts of a delta event, before and after the sequence number; the text comes last. */
function frame(part: Pick<PartState, 'kind' | 'item' | 'index'>): {
  readonly head: string
  readonly tail: string
} {
  const type = deltaTypes[part.kind]
  const head = `event: ${type}\ndata: {"type":"${type}","sequence_number":`
  const where = `,"item_id":${JSON.stringify(part.item.id)},"output_index":${part.item.index}`
  if (part.kind === 'tool-call') return { head, tail: `${where},"delta":` }
  if (part.kind === 'reasoning') return { head, tail: `${where},"summary_index":${part.index},"delta":` }
  const logprobs = part.kind === 'text' ? ',"logprobs":[]' : ''
  return { head, tail: `${where},"content_index":${part.index}${logprobs},"delta":` }
}

function withLogprobs(part: PartState, logprobs: JsonValue): string {
  const list = isJsonObject(logprobs) ? logprobs['content'] : undefined
  if (!isJsonArray(list)) return part.tail
  for (const entry of list) part.logprobs.push(entry)
  return part.tail.replace('"logprobs":[]', () => `"logprobs":${JSON.stringify(list)}`)
}

function tooLarge(): CanonicalError {
  const { kind, status, code } = faults.upstreamTooLarge
  return { kind, status, code, message: faults.upstreamError.text }
}

/** The fields stand at the top, as documented, and under `error`, where the SDKs look for them to throw. */
export function errorEvent(error: CanonicalError): JsonObject {
  const fields = errorFields(error)
  return { code: fields['code'], message: fields['message'], param: fields['param'], error: fields }
}

/** An error after a stream has begun, when its writer is gone; numbered 0. */
export function writeStreamError(error: CanonicalError): string {
  return sseEvent(JSON.stringify({ type: 'error', sequence_number: 0, ...errorEvent(error) }), 'error')
}
