import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CanonicalEvent, CanonicalResponse } from '../../domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts'
import { Fault } from '../../kernel/fault.ts'
import { encodeEventStreamMessage } from '../aws/event-stream.ts'
import type { Dialect } from '../dialect.ts'
import { dialects } from '../dialects.ts'
import { readStream } from './dialect.contract.ts'

/** Names that readers look for, so that random bodies get past the first check. */
const names = [
  ...[
    'model',
    'messages',
    'contents',
    'input',
    'role',
    'content',
    'parts',
    'type',
    'text',
    'id',
    'name',
    'index',
  ],
  ...[
    'tools',
    'toolConfig',
    'tool_choice',
    'generationConfig',
    'inferenceConfig',
    'thinking',
    'system',
    'usage',
  ],
  ...[
    'functionCall',
    'functionResponse',
    'toolUse',
    'toolResult',
    'tool_use',
    'tool_calls',
    'source',
    'image',
  ],
  ...['candidates', 'choices', 'output', 'message', 'delta', 'start', 'error', 'status', 'code', 'details'],
  ...[
    'content_block',
    'contentBlockIndex',
    'usageMetadata',
    'promptFeedback',
    'stopReason',
    '__proto__',
    'constructor',
  ],
]
const words = [
  'user',
  'assistant',
  'model',
  'text',
  'image',
  'tool_use',
  'tool_result',
  'thinking',
  'document',
  '',
  'x',
]

const { body } = fc.letrec<{ value: JsonValue; body: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonValue>(...words, null, true, false, 0, -1, 1e308),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('body'),
  ),
  body: fc
    .array(fc.tuple(fc.constantFrom(...names), tie('value')), { maxLength: 6 })
    .map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))) as JsonObject),
}))

function faultOr(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof Fault, String(error))
    assert.equal(error.status, 400)
  }
}

for (const dialect of Object.values(dialects)) {
  test(`${dialect.id}: any JSON is read, or refused with a fault of the caller`, () => {
    fc.assert(
      fc.property(body, (json) => {
        faultOr(() => {
          const request = dialect.readRequest(json, { model: 'm' })
          for (const target of Object.values(dialects)) {
            faultOr(() => target.writeRequest(request, { model: 'm', downgrade: () => {} }))
          }
        })
      }),
      { numRuns: 400 },
    )
  })

  test(`${dialect.id}: any answer of a provider is read, or told to be malformed`, () => {
    fc.assert(
      fc.property(body, fc.integer({ min: 400, max: 599 }), (json, status) => {
        const response = readOr(dialect, json)
        dialect.readUsage(json)
        dialect.readError(status, json)
        assert.ok(isJsonObject(dialect.writeError(dialect.readError(status, [json, null, 'x'][status % 3]))))
        const request = dialect.readRequest(minimal[dialect.id], { model: 'm' })
        if (response === undefined) return
        for (const caller of Object.values(dialects)) {
          caller.writeResponse(response, { model: 'm', request, downgrade: () => {} })
        }
      }),
      { numRuns: 400 },
    )
  })

  test(`${dialect.id}: any stream ends once, and is written for every caller`, () => {
    const chunk = fc.oneof(
      body.map((json) => eventOf(dialect.id, json)),
      fc.uint8Array({ maxLength: 40 }),
    )
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), fc.integer({ min: 1, max: 64 }), (chunks, cut) => {
        const events = readStream(dialect, Buffer.concat(chunks), cut)
        assert.equal(events.filter((event) => event.type === 'end').length, 1)
        assert.equal(events.at(-1)?.type, 'end')
        writeForAll(events)
      }),
      { numRuns: 300 },
    )
  })
}

function readOr(dialect: Dialect, json: JsonObject): CanonicalResponse | undefined {
  try {
    return dialect.readResponse(json)
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'upstream.malformed', String(error))
    return undefined
  }
}

function writeForAll(events: readonly CanonicalEvent[]): void {
  for (const caller of Object.values(dialects)) {
    const request = caller.readRequest(minimal[caller.id], { model: 'm' })
    const writer = caller.streamWriter({ model: 'm', request, downgrade: () => {} })
    for (const event of events) writer.write(event)
  }
}

const minimal: Readonly<Record<keyof typeof dialects, JsonObject>> = {
  'openai-chat': { model: 'm', messages: [] },
  'openai-responses': { model: 'm', input: 'x' },
  'anthropic-messages': { model: 'm', messages: [] },
  gemini: { contents: [] },
  'bedrock-converse': { messages: [] },
}

const eventNames: readonly string[] = [
  ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta'],
  ...[
    'messageStart',
    'contentBlockStart',
    'contentBlockDelta',
    'contentBlockStop',
    'messageStop',
    'metadata',
  ],
  ...['response.created', 'response.output_item.added', 'response.output_text.delta', 'response.completed'],
]

/** A well-framed event with a body that makes no sense; the name follows from the body. */
function eventOf(id: string, json: JsonObject): Uint8Array {
  const name = eventNames[Object.keys(json).join('').length % eventNames.length] ?? ''
  const text = JSON.stringify({ ...json, type: name })
  if (id !== 'bedrock-converse') return Buffer.from(`event: ${name}\ndata: ${text}\n\n`)
  return encodeEventStreamMessage(
    [
      [':event-type', name],
      [':message-type', Object.keys(json).length === 1 ? 'exception' : 'event'],
    ],
    text,
  )
}
