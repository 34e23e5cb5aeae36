/**
 * Canonical events → ConverseStream messages:
 *
 *   messageStart (contentBlockStart? contentBlockDelta* contentBlockStop)* messageStop metadata?
 *
 * Clients of this API follow one block at a time, so `serial-blocks.ts` puts parts that interleave one after the
 * other. Only the first choice is carried.
 */
import type { CanonicalError, CanonicalEvent } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import { encodeEventStreamMessage, eventStreamContentType } from '../../aws/event-stream.ts'
import type { StreamWriter, WriteResponseContext } from '../../dialect.ts'
import { dropResponsePart, nativeResponseFields } from '../../native.ts'
import { isJsonArray } from '../../reading.ts'
import { tagProof } from '../../reasoning-proof.ts'
import { type PartStart, type SerialBlocks, type SerialPart, serialBlocks } from '../../serial-blocks.ts'
import { tooMuchWaits } from '../../upstream-error.ts'
import { writeStreamError } from './errors.ts'
import { oneChoice } from './response.ts'
import { writeStopReason } from './stop-reason.ts'
import { restoreUsage } from './usage.ts'

const dialect = 'bedrock-converse'

interface State {
  readonly ctx: WriteResponseContext
  /** What this event puts on the wire. */
  out: Uint8Array[]
  index: number
  finish: (CanonicalEvent & { readonly type: 'finish' }) | undefined
  usage: (CanonicalEvent & { readonly type: 'usage' }) | undefined
  over: boolean
}

export function streamWriter(ctx: WriteResponseContext): StreamWriter {
  const state: State = { ctx, out: [], index: 0, finish: undefined, usage: undefined, over: false }
  const blocks = serialBlocks({
    begin: (part) => beginBlock(part.start, state),
    delta: (part, text) => put(state, 'contentBlockDelta', deltaJson(part.start, text, state.index)),
    close: (part) => closeBlock(part, state),
  })
  return {
    contentType: eventStreamContentType,
    write(event) {
      if (state.over) return ''
      state.out = []
      write(event, state, blocks)
      const [only, ...others] = state.out
      if (only === undefined) return ''
      return others.length === 0 ? only : Buffer.concat(state.out)
    },
  }
}

function put(state: State, event: string, json: string): void {
  state.out.push(
    encodeEventStreamMessage(
      [
        [':event-type', event],
        [':content-type', 'application/json'],
        [':message-type', 'event'],
      ],
      json,
    ),
  )
}

function write(event: CanonicalEvent, state: State, blocks: SerialBlocks): void {
  if ('choice' in event && event.choice !== 0) {
    if (event.type === 'finish') state.ctx.downgrade(oneChoice)
    return
  }
  switch (event.type) {
    case 'start':
      put(state, 'messageStart', '{"role":"assistant"}')
      return
    case 'part-start':
      if (isWritable(event, state)) blocks.start(event)
      return
    case 'delta':
      if (!blocks.delta(event)) endWith(tooMuchWaits, state)
      return
    case 'part-end':
      blocks.end(event)
      return
    case 'finish':
      state.finish = event
      blocks.closeAll()
      return
    case 'usage':
      state.usage = event
      return
    case 'error':
      endWith(event.error, state)
      return
    case 'end':
      state.over = true
      blocks.closeAll()
      messageEnd(state)
  }
}

function endWith(error: CanonicalError, state: State): void {
  state.over = true
  state.out.push(writeStreamError(error))
}

function isWritable(event: PartStart, state: State): boolean {
  if (event.kind !== 'opaque' || event.native?.dialect === dialect) return true
  if (event.native !== undefined)
    dropResponsePart({ type: 'opaque', native: event.native }, { dialect, ...state.ctx })
  return false
}

/** Only calls and blocks of this dialect announce themselves; text and reasoning begin with their first delta. */
function beginBlock(start: PartStart, state: State): void {
  const own = nativeResponseFields(start.native, dialect)
  if (start.kind === 'tool-call') {
    const toolUse = { toolUseId: start.callId ?? `call_${start.part}`, name: start.name ?? '', ...own }
    putBlock(state, 'contentBlockStart', { start: { toolUse } })
  } else if (start.kind === 'opaque' && Object.keys(own).length > 0) {
    putBlock(state, 'contentBlockStart', { start: own })
  }
}

function putBlock(state: State, event: string, fields: JsonObject): void {
  put(state, event, JSON.stringify({ ...fields, contentBlockIndex: state.index }))
}

/** Built by hand: this is the hot path, and only the text needs escaping. */
function deltaJson(start: PartStart, text: string, index: number): string {
  const json = JSON.stringify(text)
  switch (start.kind) {
    case 'text':
    case 'refusal':
      return `{"contentBlockIndex":${index},"delta":{"text":${json}}}`
    case 'reasoning':
      return `{"contentBlockIndex":${index},"delta":{"reasoningContent":{"text":${json}}}}`
    case 'tool-call':
    case 'opaque':
      return `{"contentBlockIndex":${index},"delta":{"toolUse":{"input":${json}}}}`
  }
}

/** What is told only at the end of a block: citations, signature, hidden reasoning. */
function closeBlock(part: SerialPart, state: State): void {
  const own = nativeResponseFields(part.end?.native, dialect)
  const signature = tagProof(part.end?.signature, part.start.native, dialect)
  const redactedContent = tagProof(part.end?.encrypted, part.start.native, dialect)
  if (isJsonArray(own['citations'])) {
    for (const citation of own['citations']) putDelta(state, { citation })
  }
  if (isJsonArray(own['deltas'])) for (const delta of own['deltas']) putDelta(state, delta)
  if (signature !== undefined) putDelta(state, { reasoningContent: { signature } })
  if (redactedContent !== undefined) {
    // Readable and hidden reasoning are two blocks here.
    if (part.begun) stopBlock(state)
    putDelta(state, { reasoningContent: { redactedContent } })
  }
  stopBlock(state)
}

function putDelta(state: State, delta: JsonValue): void {
  putBlock(state, 'contentBlockDelta', { delta })
}

function stopBlock(state: State): void {
  putBlock(state, 'contentBlockStop', {})
  state.index += 1
}

function messageEnd(state: State): void {
  const { finish, usage } = state
  const { stopReason: _reason, ...own } = nativeResponseFields(finish?.native, dialect)
  const stopReason = finish === undefined ? 'end_turn' : writeStopReason(finish.stopReason, finish.native)
  put(state, 'messageStop', JSON.stringify({ ...own, stopReason }))
  if (usage === undefined) return
  const { usage: ownUsage, ...metadata } = nativeResponseFields(usage.native, dialect)
  // SDKs of typed languages want the member; the time to measure is not ours.
  const metrics = { latencyMs: 0 }
  put(state, 'metadata', JSON.stringify({ usage: restoreUsage(usage.usage, ownUsage), metrics, ...metadata }))
}
