/**
 * What every dialect promises, as checks that each dialect's tests run on its own payloads: the round trip through
 * the canonical form loses nothing, and a stream reads the same however its bytes are cut.
 */
import assert from 'node:assert/strict'
import type { CanonicalEvent, CanonicalRequest } from '../../domain/canonical.ts'
import type { JsonObject } from '../../domain/json.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Dialect, Downgrade, ReadRequestContext, WriteResponseContext } from '../dialect.ts'

export interface Written {
  readonly body: JsonObject
  readonly downgrades: readonly Downgrade[]
}

/** A request that the gateway might build itself; tests change what they are about. */
export const plainRequest: CanonicalRequest = {
  model: 'm',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
  tools: [],
  builtinTools: [],
  sampling: {},
  stopSequences: [],
  stream: false,
}

/** As `JSON.parse` would give it: the wire form, without the types that only live in memory. */
function wire(body: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(body)) as JsonObject
}

export function writeRequest(
  dialect: Dialect,
  request: CanonicalRequest,
  model: string = request.model,
): Written {
  const downgrades: Downgrade[] = []
  const body = dialect.writeRequest(request, { model, downgrade: (one) => downgrades.push(one) })
  return { body: wire(body), downgrades }
}

/** `code param` of the fault that `run` throws; undefined when it throws none. */
export function refusedField(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return `${error.code} ${error.param}`
    throw error
  }
  return undefined
}

/** A → canonical → A gives the same JSON, and nothing is reported as lost. */
export function assertRequestSurvives(
  dialect: Dialect,
  body: JsonObject,
  ctx: ReadRequestContext = {},
): void {
  const { body: again, downgrades } = writeRequest(dialect, dialect.readRequest(body, ctx))
  assert.deepEqual(again, wire(body))
  assert.deepEqual(downgrades, [])
}

export function responseContext(request: Partial<CanonicalRequest> = {}): WriteResponseContext & {
  readonly downgrades: Downgrade[]
} {
  const downgrades: Downgrade[] = []
  return {
    model: 'm',
    request: { ...plainRequest, ...request },
    downgrade: (one) => downgrades.push(one),
    downgrades,
  }
}

export function assertResponseSurvives(dialect: Dialect, body: JsonObject): void {
  const response = dialect.readResponse(body)
  const ctx = responseContext()
  assert.deepEqual(wire(dialect.writeResponse(response, { ...ctx, model: response.model })), wire(body))
  assert.deepEqual(ctx.downgrades, [])
}

/** All events of a stream whose bytes arrive in pieces of `cut`. */
export function readStream(
  dialect: Dialect,
  bytes: Uint8Array,
  cut: number = bytes.length,
): CanonicalEvent[] {
  const reader = dialect.streamReader()
  const events: CanonicalEvent[] = []
  for (let at = 0; at < bytes.length; at += cut) {
    reader.push(bytes.subarray(at, at + cut), (event) => events.push(event))
  }
  reader.finish((event) => events.push(event))
  return events
}

/** The same events for bytes in one piece, one by one, and cut in two at every place. */
export function assertCutAnywhere(dialect: Dialect, bytes: Uint8Array): void {
  const whole = readStream(dialect, bytes)
  assert.deepEqual(readStream(dialect, bytes, 1), whole)
  for (let at = 1; at < bytes.length; at += 1) {
    const reader = dialect.streamReader()
    const events: CanonicalEvent[] = []
    reader.push(bytes.subarray(0, at), (event) => events.push(event))
    reader.push(bytes.subarray(at), (event) => events.push(event))
    reader.finish((event) => events.push(event))
    assert.deepEqual(events, whole, `cut at ${at}`)
  }
}

/** A prefix of a stream always ends with `error`, `end`, whatever was cut off, and says `end` once. */
export function assertCutShort(dialect: Dialect, bytes: Uint8Array, completeAt: number = bytes.length): void {
  for (let length = 0; length < completeAt; length += 1) {
    const events = readStream(dialect, bytes.subarray(0, length), Math.max(1, length))
    assert.deepEqual(
      events.slice(-2).map((event) => event.type),
      ['error', 'end'],
      `first ${length} bytes`,
    )
    assert.equal(events.filter((event) => event.type === 'end').length, 1)
  }
}

/** Writes events as a stream for a caller of the dialect. */
export function writeStream(
  dialect: Dialect,
  events: readonly CanonicalEvent[],
  ctx: WriteResponseContext = responseContext(),
): Buffer {
  const writer = dialect.streamWriter(ctx)
  return Buffer.concat(
    events.map((event) => {
      const out = writer.write(event)
      return typeof out === 'string' ? Buffer.from(out) : Buffer.from(out)
    }),
  )
}
