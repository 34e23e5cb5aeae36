/**
 * Canonical events → the event sequence of a streamed Responses response, numbered: created, in_progress, per item
 * added … done, then completed or incomplete with the whole output, as the protocol demands. So the output text is
 * held until the end.
 * Bound: 16 Mi characters of output and 1,024 items; past that the stream ends with an error.
 */
import type { CanonicalError, CanonicalEvent, StopReason } from '../../../domain/canonical.ts'
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
}

interface ItemState {
  readonly id: string
  readonly index: number
  readonly wire: Wire
  readonly content: JsonValue[]
}

/** The JSON of one event with its sequence number. */
type Send = (type: string, fields: JsonObject) => string

export function streamWriter(ctx: WriteResponseContext): StreamWriter {
  const parts = new Map<number, PartState>()
  const output: ItemState[] = []
  let sequence = 0
  let length = 0
  let message: ItemState | undefined
  let base: JsonObject = {}
  let responseId = ''
  let foreign = true
  let stopReason: StopReason = 'stop'
  let ending: JsonObject = {}
  let usage: JsonObject | null = null
  let closed = false

  const send: Send = (type, fields) =>
    sseEvent(JSON.stringify({ type, sequence_number: sequence++, ...fields }), type)

  function start(event: EventOf<'start'>): string {
    foreign = event.native?.dialect !== dialect
    responseId = event.id
    base = {
      ...(foreign
        ? { ...echoOf(ctx.request), ...outcomeOf('stop') }
        : nativeResponseFields(event.native, dialect)),
      id: event.id,
      object: 'response',
      created_at: event.created || (ctx.created ?? 0),
      model: ctx.model,
    }
    const response = { ...base, status: 'in_progress', output: [], usage: null }
    return send('response.created', { response }) + send('response.in_progress', { response })
  }

  function openItem(prefix: string, wire: Wire, own: JsonObject | undefined): [ItemState, string] {
    const index = output.length
    const id = stringOr(own?.['id'], `${prefix}_${responseId}_${index}`)
    const item: ItemState = { id, index, wire: { id, ...own, ...wire }, content: [] }
    output.push(item)
    return [item, send('response.output_item.added', { output_index: index, item: item.wire })]
  }

  function closeItem(item: ItemState, fields: JsonObject): string {
    Object.assign(item.wire, fields)
    return send('response.output_item.done', { output_index: item.index, item: item.wire })
  }

  function closeMessage(): string {
    if (message === undefined) return ''
    const item = message
    message = undefined
    return closeItem(item, { status: 'completed', content: item.content })
  }

  function remember(
    event: EventOf<'part-start'>,
    part: Omit<PartState, 'head' | 'tail' | 'text' | 'logprobs'>,
  ): void {
    parts.set(event.part, { ...part, ...frame(part), text: '', logprobs: [] })
  }

  function openContent(event: EventOf<'part-start'>, kind: 'text' | 'refusal'): string {
    const own = ownItem(event)
    let text = ''
    if (message === undefined || own !== undefined) {
      text = closeMessage()
      const wire = { type: 'message', status: 'in_progress', role: 'assistant', content: [] }
      const [item, added] = openItem('msg', wire, own)
      message = item
      text += added
    }
    const index = message.content.length
    const part = contentPart(kind, '', [])
    message.content.push(part)
    remember(event, { kind, item: message, index })
    return text + send('response.content_part.added', { ...place(message), content_index: index, part })
  }

  function openReasoning(event: EventOf<'part-start'>): string {
    const [item, added] = openItem('rs', { type: 'reasoning', summary: [] }, ownItem(event))
    remember(event, { kind: 'reasoning', item, index: -1 })
    return added
  }

  function openCall(event: EventOf<'part-start'>): string {
    const own = nativeResponseFields(event.native, dialect)
    const wire = {
      type: 'function_call',
      status: 'in_progress',
      arguments: '',
      call_id: event.callId ?? '',
      name: event.name ?? '',
    }
    const [item, added] = openItem('fc', wire, own)
    remember(event, { kind: 'tool-call', item, index: 0 })
    return added
  }

  function openOpaque(event: EventOf<'part-start'>): string {
    const own = ownItem(event)
    if (own === undefined) {
      const field = stringOr(event.native?.fields['type'], 'opaque')
      ctx.downgrade({ field, reason: 'the response held a part that this API cannot carry' })
      return ''
    }
    const [item, added] = openItem('item', {}, own)
    remember(event, { kind: 'opaque', item, index: 0 })
    return added
  }

  function open(event: EventOf<'part-start'>): string {
    if (event.choice !== 0) return ''
    if (output.length >= maxItems) return fail(tooLarge())
    switch (event.kind) {
      case 'text':
      case 'refusal':
        return openContent(event, event.kind)
      case 'reasoning':
        return closeMessage() + openReasoning(event)
      case 'tool-call':
        return closeMessage() + openCall(event)
      case 'opaque':
        return closeMessage() + openOpaque(event)
    }
  }

  function delta(event: EventOf<'delta'>): string {
    const part = event.choice === 0 ? parts.get(event.part) : undefined
    if (part === undefined) return ''
    length += event.text.length
    if (length > maxOutputLength) return fail(tooLarge())
    if (event.native !== undefined) {
      const special = ownDelta(event, part)
      if (special !== undefined) return special
    }
    if (part.kind === 'opaque') return ''
    const before = part.kind === 'reasoning' && part.index === -1 ? openSummary(part) : ''
    part.text += event.text
    let tail = part.tail
    if (event.logprobs !== undefined) tail = withLogprobs(part, event.logprobs)
    return `${before}${part.head}${sequence++}${tail}${JSON.stringify(event.text)}}\n\n`
  }

  /** Events of this dialect that ride on a delta: a new summary part, or an event to pass on. */
  function ownDelta(event: EventOf<'delta'>, part: PartState): string | undefined {
    const own = nativeResponseFields(event.native, dialect)
    if (own['paragraph'] === true) return closeSummary(part) + openSummary(part)
    const passed = own['event']
    if (!isJsonObject(passed) || typeof passed['type'] !== 'string') return undefined
    const { type, sequence_number: _, ...fields } = passed
    return send(type as string, { ...fields, output_index: part.item.index })
  }

  function openSummary(part: PartState): string {
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
    return send('response.reasoning_summary_part.added', fields)
  }

  function closeSummary(part: PartState): string {
    if (part.index === -1) return ''
    const at = { ...place(part.item), summary_index: part.index }
    const whole = { type: 'summary_text', text: part.text }
    part.item.content.push(whole)
    return (
      send('response.reasoning_summary_text.done', { ...at, text: part.text }) +
      send('response.reasoning_summary_part.done', { ...at, part: whole })
    )
  }

  function end(event: EventOf<'part-end'>): string {
    const part = event.choice === 0 ? parts.get(event.part) : undefined
    if (part === undefined) return ''
    parts.delete(event.part)
    const own = nativeResponseFields(event.native, dialect)
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return endContent(part, part.kind, own)
      case 'reasoning':
        return endReasoning(part, event, own)
      case 'tool-call': {
        const done = { ...place(part.item), name: part.item.wire['name'], arguments: part.text }
        return (
          send('response.function_call_arguments.done', done) +
          closeItem(part.item, { status: 'completed', arguments: part.text })
        )
      }
      case 'opaque':
        return closeItem(part.item, isJsonObject(own['item']) ? own['item'] : {})
    }
  }

  function endContent(part: PartState, kind: 'text' | 'refusal', own: JsonObject): string {
    const at = { ...place(part.item), content_index: part.index }
    const whole = { ...contentPart(kind, part.text, part.logprobs), ...own }
    part.item.content[part.index] = whole
    const done =
      kind === 'text'
        ? send('response.output_text.done', { ...at, text: part.text, logprobs: part.logprobs })
        : send('response.refusal.done', { ...at, refusal: part.text })
    return done + send('response.content_part.done', { ...at, part: whole })
  }

  function endReasoning(part: PartState, event: EventOf<'part-end'>, own: JsonObject): string {
    const closing = closeSummary(part)
    const item = isJsonObject(own['item']) ? own['item'] : undefined
    const written = { summary: part.item.content, ...encryptedContent(event) }
    return closing + closeItem(part.item, { ...item, ...written })
  }

  function complete(): string {
    const done = closeMessage()
    const outcome = foreign ? outcomeOf(stopReason) : ending
    const status = stringOr(outcome['status'], 'completed')
    const response = { ...base, ...outcome, status, output: output.map((item) => item.wire), usage }
    return done + send(status === 'incomplete' ? 'response.incomplete' : 'response.completed', { response })
  }

  function fail(error: CanonicalError): string {
    closed = true
    return send('error', errorEvent(error))
  }

  function finish(event: EventOf<'finish'>): string {
    if (event.choice !== 0) return ''
    stopReason = event.stopReason
    ending = nativeResponseFields(event.native, dialect)
    return ''
  }

  function figures(event: {
    readonly usage: TokenUsage
    readonly native?: EventOf<'usage'>['native']
  }): string {
    const own = nativeResponseFields(event.native, dialect)['usage']
    usage = isJsonObject(own) ? own : writeUsageFigures(event.usage)
    return ''
  }

  function write(event: CanonicalEvent): string {
    if (closed) return ''
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
        return figures(event)
      case 'error':
        return fail(event.error)
      case 'end':
        closed = true
        return complete()
    }
  }

  return { contentType: 'text/event-stream; charset=utf-8', write }
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
