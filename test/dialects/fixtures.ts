/**
 * Golden fixtures of dialects: `test/golden/dialects/<case>/source/<dialect>.json`, one file a case and dialect,
 * written by hand from the provider's public documentation. Streams are kept as lists of events; here they become
 * the bytes of the wire and back.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type {
  CanonicalEvent,
  CanonicalRequest,
  CanonicalResponse,
  Part,
  StopReason,
} from '../../src/domain/canonical.ts'
import type { DialectId } from '../../src/domain/dialect-id.ts'
import type { JsonObject, JsonValue } from '../../src/domain/json.ts'
import type { TokenUsage } from '../../src/domain/usage.ts'
import { encodeEventStreamMessage, eventStreamDecoder } from '../../src/providers/aws/event-stream.ts'
import type { Dialect, Downgrade } from '../../src/providers/dialect.ts'
import { dialects } from '../../src/providers/dialects.ts'
import { sseEvent, sseParser } from '../../src/providers/sse.ts'

export const goldenRoot = join(import.meta.dirname, '../golden/dialects')

export interface WireEvent {
  readonly event?: string
  readonly data: JsonValue
}

export interface Source {
  readonly documentation: string
  readonly model: string
  readonly request?: JsonObject
  readonly response?: JsonObject
  readonly stream?: readonly WireEvent[]
  readonly errors?: readonly { readonly status: number; readonly body: JsonValue }[]
}

export const caseNames: readonly string[] = readdirSync(goldenRoot).sort()

export const allDialects: readonly Dialect[] = Object.values(dialects)

export function loadSource(caseName: string, id: DialectId): Source | undefined {
  const path = join(goldenRoot, caseName, 'source', `${id}.json`)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Source) : undefined
}

/** JSON as it travels: undefined fields and prototypes gone. */
export function wire<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

function isBinary(id: DialectId): boolean {
  return id === 'bedrock-converse'
}

export function encodeStream(id: DialectId, events: readonly WireEvent[]): Buffer {
  const chunks = events.map(({ event, data }) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    if (!isBinary(id)) return Buffer.from(sseEvent(text, event))
    const headers: [string, string][] = [
      [':event-type', event ?? ''],
      [':content-type', 'application/json'],
      [':message-type', 'event'],
    ]
    return Buffer.from(encodeEventStreamMessage(headers, text))
  })
  return Buffer.concat(chunks)
}

export function decodeStream(id: DialectId, bytes: Uint8Array): WireEvent[] {
  const events: WireEvent[] = []
  if (isBinary(id)) {
    eventStreamDecoder().push(bytes, ({ headers, payload }) => {
      const name = headers.get(':event-type') ?? headers.get(':exception-type')
      events.push({ event: String(name), data: JSON.parse(Buffer.from(payload).toString()) as JsonValue })
    })
    return events
  }
  const parser = sseParser()
  const onEvent = ({ event, data }: { event: string; data: string }) => {
    const value = data === '[DONE]' ? data : (JSON.parse(data) as JsonValue)
    events.push(event === 'message' ? { data: value } : { event, data: value })
  }
  parser.push(bytes, onEvent)
  parser.finish(onEvent)
  return events
}

/** Reads a stream whose bytes are cut at the given places. */
export function readStream(
  dialect: Dialect,
  bytes: Uint8Array,
  cuts: readonly number[] = [],
): CanonicalEvent[] {
  const reader = dialect.streamReader()
  const events: CanonicalEvent[] = []
  const emit = (event: CanonicalEvent) => events.push(event)
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    reader.push(bytes.subarray(from, cut), emit)
    from = cut
  }
  reader.finish(emit)
  return events
}

export interface CallerContext {
  readonly request: CanonicalRequest
  readonly model: string
}

/** What the gateway knows and some providers do not say. */
export const ownFacts = { id: 'req_1', created: 1_700_000_000 }

export const plainRequest: CanonicalRequest = {
  model: 'm',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
  tools: [],
  builtinTools: [],
  sampling: {},
  stopSequences: [],
  stream: true,
  streamUsage: true,
}

export function writeStream(
  dialect: Dialect,
  events: readonly CanonicalEvent[],
  caller: CallerContext,
): { readonly bytes: Buffer; readonly downgrades: readonly Downgrade[] } {
  const downgrades: Downgrade[] = []
  const writer = dialect.streamWriter({ ...ownFacts, ...caller, downgrade: (one) => downgrades.push(one) })
  const bytes = Buffer.concat(events.map((event) => Buffer.from(writer.write(event))))
  return { bytes, downgrades }
}

export interface Collected {
  readonly id: string
  readonly model: string
  readonly parts: readonly Part[]
  readonly stopReason: StopReason | undefined
  readonly usage: TokenUsage | undefined
}

interface Building {
  readonly kind: string
  readonly callId: string
  readonly name: string
  text: string
  proof: { signature?: string; encrypted?: string }
}

/** What a stream amounts to: the first choice's parts, its stop reason and the usage, without native fields. */
export function collect(events: readonly CanonicalEvent[]): Collected {
  const parts = new Map<number, Building>()
  let id = ''
  let model = ''
  let stopReason: StopReason | undefined
  let usage: TokenUsage | undefined
  for (const event of events) {
    if (event.type === 'start') {
      id = event.id
      model = event.model
    } else if (event.type === 'part-start' && event.choice === 0) {
      const { kind, callId = '', name = '' } = event
      parts.set(event.part, { kind, callId, name, text: '', proof: {} })
    } else if (event.type === 'delta' && event.choice === 0) {
      const part = parts.get(event.part)
      if (part !== undefined) part.text += event.text
    } else if (event.type === 'part-end' && event.choice === 0) {
      const part = parts.get(event.part)
      if (part === undefined) continue
      if (event.signature !== undefined) part.proof.signature = event.signature
      if (event.encrypted !== undefined) part.proof.encrypted = event.encrypted
    } else if (event.type === 'finish' && event.choice === 0) stopReason = event.stopReason
    else if (event.type === 'usage') usage = event.usage
  }
  return { id, model, parts: [...parts.values()].flatMap(built), stopReason, usage }
}

function built(part: Building): readonly Part[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return [{ type: part.kind, text: part.text }]
    case 'reasoning':
      return [reasoning(part.text, part.proof)]
    case 'tool-call':
      return [{ type: 'tool-call', id: part.callId, name: part.name, arguments: part.text }]
    default:
      return []
  }
}

/** An empty signature is none: Anthropic demands the field. */
function reasoning(text: string, proof: { readonly signature?: string; readonly encrypted?: string }): Part {
  const { signature, encrypted } = proof
  const signed = signature === undefined || signature === '' ? {} : { signature }
  return { type: 'reasoning', text, ...signed, ...(encrypted === undefined ? {} : { encrypted }) }
}

/** The same view of a unary response. */
export function plain(response: CanonicalResponse): Collected {
  const [choice] = response.choices
  const parts = (choice?.parts ?? []).flatMap((part): readonly Part[] => {
    if (part.type === 'opaque') return []
    const { native: _, ...rest } = part
    return [rest.type === 'reasoning' ? reasoning(rest.text, rest) : rest]
  })
  return {
    id: response.id,
    model: response.model,
    parts,
    stopReason: choice?.stopReason,
    usage: response.usage,
  }
}
