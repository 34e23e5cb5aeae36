import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CanonicalEvent } from '../../../domain/canonical.ts'
import type { JsonObject } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import { encodeEventStreamMessage, eventStreamDecoder } from '../../aws/event-stream.ts'
import { maxWaitingLength } from '../../serial-blocks.ts'
import {
  assertCutAnywhere,
  assertCutShort,
  assertResponseSurvives,
  readStream,
  responseContext,
  writeStream,
} from '../dialect.contract.ts'
import { bedrockConverse } from './index.ts'

const plain: JsonObject = {
  output: { message: { role: 'assistant', content: [{ text: 'Hello' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 125, outputTokens: 60, totalTokens: 185 },
  metrics: { latencyMs: 1175 },
}
const responses: Readonly<Record<string, JsonObject>> = {
  'plain text': plain,
  'tools, reasoning and cache figures': {
    ...plain,
    output: {
      message: {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'hm', signature: 'c2ln' } } },
          { reasoningContent: { redactedContent: 'ZA==' } },
          { text: 'a' },
          { toolUse: { toolUseId: 't', name: 'f', input: { a: [1] } } },
          { citationsContent: { content: [], citations: [] } },
          { image: { format: 'png', source: { bytes: 'AA==' } } },
        ],
      },
    },
    stopReason: 'tool_use',
    usage: {
      inputTokens: 10,
      outputTokens: 5,
      totalTokens: 27,
      cacheReadInputTokens: 8,
      cacheWriteInputTokens: 4,
      cacheDetails: [],
    },
    additionalModelResponseFields: { stop_sequence: null },
    trace: { guardrail: {} },
    performanceConfig: { latency: 'standard' },
    serviceTier: { type: 'default' },
  },
  'a guardrail': { ...plain, stopReason: 'guardrail_intervened' },
  'a malformed call': { ...plain, stopReason: 'malformed_tool_use' },
  'a full context window': { ...plain, stopReason: 'model_context_window_exceeded' },
}
for (const [name, body] of Object.entries(responses)) {
  test(`a response with ${name} survives the canonical form`, () => {
    assertResponseSurvives(bedrockConverse, body)
  })
}

test('usage counts cached and cache-writing tokens within the input', () => {
  assert.deepEqual(bedrockConverse.readUsage(responses['tools, reasoning and cache figures'] ?? {}), {
    inputTokens: 22,
    outputTokens: 5,
    cachedInputTokens: 8,
    cacheWriteTokens: 4,
    reasoningTokens: 0,
    estimated: false,
  })
})

type WireEvent = readonly [name: string, payload: JsonObject]

function encode(events: readonly WireEvent[]): Buffer {
  return Buffer.concat(
    events.map(([name, payload]) =>
      encodeEventStreamMessage(
        [
          [':event-type', name],
          [':content-type', 'application/json'],
          [':message-type', 'event'],
        ],
        JSON.stringify(payload),
      ),
    ),
  )
}

function decode(bytes: Uint8Array): WireEvent[] {
  const events: WireEvent[] = []
  const decoder = eventStreamDecoder()
  decoder.push(bytes, ({ headers, payload }) => {
    const name = headers.get(':event-type') ?? headers.get(':exception-type')
    events.push([String(name), JSON.parse(Buffer.from(payload).toString()) as JsonObject])
  })
  assert.equal(decoder.pendingBytes, 0)
  return events
}

function delta(contentBlockIndex: number, one: JsonObject): WireEvent {
  return ['contentBlockDelta', { contentBlockIndex, delta: one }]
}
function stop(contentBlockIndex: number): WireEvent {
  return ['contentBlockStop', { contentBlockIndex }]
}
/** As the service sends it, but for its padding field `p`, which one event keeps. */
const documented: readonly WireEvent[] = [
  ['messageStart', { role: 'assistant' }],
  delta(0, { reasoningContent: { text: 'I näed' } }),
  delta(0, { reasoningContent: { signature: 'c2ln' } }),
  stop(0),
  delta(1, { reasoningContent: { redactedContent: 'ZA==' } }),
  stop(1),
  delta(2, { text: 'Okay, ' }),
  delta(2, { text: 'then' }),
  delta(2, { citation: { title: 'x' } }),
  stop(2),
  [
    'contentBlockStart',
    { contentBlockIndex: 3, start: { toolUse: { toolUseId: 't1', name: 'f', type: 'client' } } },
  ],
  delta(3, { toolUse: { input: '{"a":' } }),
  delta(3, { toolUse: { input: '1}' } }),
  stop(3),
  ['contentBlockStart', { contentBlockIndex: 4, start: { toolResult: { toolUseId: 's' } } }],
  delta(4, { toolResult: [{ text: 'x' }] }),
  stop(4),
  ['messageStop', { stopReason: 'tool_use', additionalModelResponseFields: { a: 1 } }],
  [
    'metadata',
    {
      usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15, cacheReadInputTokens: 0 },
      metrics: { latencyMs: 900 },
    },
  ],
]

test('a documented stream reads as the canonical grammar', () => {
  const events = readStream(
    bedrockConverse,
    encode([...documented.slice(0, -1), ['metadata', { ...documented.at(-1)?.[1], p: 'abc' }]]),
  )
  assert.deepEqual(
    events.map((event) => ('part' in event ? `${event.type} ${event.part}` : event.type)),
    [
      'start',
      ...['part-start 0', 'delta 0', 'part-end 0'],
      ...['part-start 1', 'part-end 1'],
      ...['part-start 2', 'delta 2', 'delta 2', 'part-end 2'],
      ...['part-start 3', 'delta 3', 'delta 3', 'part-end 3'],
      ...['part-start 4', 'part-end 4'],
      ...['finish', 'usage', 'end'],
    ],
  )
})

test('a rewritten stream has the same messages', () => {
  const bytes = encode(documented)
  const sorted = (events: readonly WireEvent[]) => events.map(([name, payload]) => [name, { ...payload }])
  const rewritten = decode(writeStream(bedrockConverse, readStream(bedrockConverse, bytes)))
  assert.deepEqual(sorted(rewritten), sorted(documented))
})

test('a stream reads the same however its bytes are cut', () => {
  assertCutAnywhere(bedrockConverse, encode(documented))
})

test('a stream cut short ends with an error', () => {
  const last = encode(documented.slice(0, -1)).length
  assertCutShort(bedrockConverse, encode(documented), last)
})

test('a broken checksum ends the stream with an error', () => {
  const bytes = encode(documented)
  bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1
  const events = readStream(bedrockConverse, bytes)
  assert.deepEqual(
    events.slice(-2).map((event) => event.type),
    ['error', 'end'],
  )
})

test('an exception in a stream reads as what it is', () => {
  const bytes = Buffer.concat([
    encode(documented.slice(0, 2)),
    encodeEventStreamMessage(
      [
        [':exception-type', 'throttlingException'],
        [':content-type', 'application/json'],
        [':message-type', 'exception'],
      ],
      '{"message":"Too many tokens"}',
    ),
  ])
  assert.deepEqual(readStream(bedrockConverse, bytes).slice(-2), [
    {
      type: 'error',
      error: { kind: 'rate-limit', status: 429, code: 'ThrottlingException', message: 'Too many tokens' },
    },
    { type: 'end' },
  ])
})

test('a call without arguments reads as an empty object', () => {
  const events = readStream(
    bedrockConverse,
    encode([
      ['messageStart', {}],
      ['contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { toolUseId: 't', name: 'f' } } }],
      stop(0),
    ]),
  )
  assert.equal(events.find((event) => event.type === 'delta')?.text, '{}')
})

const usage: TokenUsage = {
  inputTokens: 9,
  outputTokens: 7,
  cachedInputTokens: 2,
  cacheWriteTokens: 0,
  reasoningTokens: 3,
  estimated: false,
}
const interleaved: readonly CanonicalEvent[] = [
  { type: 'start', id: 'chatcmpl-1', model: 'x', created: 1 },
  { type: 'part-start', choice: 0, part: 0, kind: 'reasoning' },
  { type: 'delta', choice: 0, part: 0, text: 'hm' },
  { type: 'part-end', choice: 0, part: 0, encrypted: 'ZW5j' },
  { type: 'part-start', choice: 0, part: 1, kind: 'tool-call', callId: 'a', name: 'f' },
  { type: 'part-start', choice: 0, part: 2, kind: 'tool-call', callId: 'b', name: 'g' },
  { type: 'delta', choice: 0, part: 2, text: '{"y"' },
  { type: 'delta', choice: 0, part: 1, text: '{"x":1}' },
  { type: 'part-start', choice: 1, part: 0, kind: 'text' },
  { type: 'part-end', choice: 0, part: 1 },
  { type: 'delta', choice: 0, part: 2, text: ':2}' },
  { type: 'part-end', choice: 0, part: 2 },
  { type: 'finish', choice: 0, stopReason: 'tool-calls' },
  { type: 'usage', usage },
  { type: 'end' },
]

test('interleaved calls are written one after the other', () => {
  assert.deepEqual(decode(writeStream(bedrockConverse, interleaved)), [
    ['messageStart', { role: 'assistant' }],
    delta(0, { reasoningContent: { text: 'hm' } }),
    stop(0),
    delta(1, { reasoningContent: { redactedContent: 'ZW5j' } }),
    stop(1),
    ['contentBlockStart', { contentBlockIndex: 2, start: { toolUse: { toolUseId: 'a', name: 'f' } } }],
    delta(2, { toolUse: { input: '{"x":1}' } }),
    stop(2),
    ['contentBlockStart', { contentBlockIndex: 3, start: { toolUse: { toolUseId: 'b', name: 'g' } } }],
    delta(3, { toolUse: { input: '{"y"' } }),
    delta(3, { toolUse: { input: ':2}' } }),
    stop(3),
    ['messageStop', { stopReason: 'tool_use' }],
    [
      'metadata',
      {
        usage: { inputTokens: 7, outputTokens: 7, totalTokens: 16, cacheReadInputTokens: 2 },
        metrics: { latencyMs: 0 },
      },
    ],
  ])
})

test('parts that wait are bounded: past the bound the stream ends with an exception', () => {
  const writer = bedrockConverse.streamWriter(responseContext())
  const piece = 'x'.repeat(1024 * 1024)
  for (const part of [0, 1]) writer.write({ type: 'part-start', choice: 0, part, kind: 'text' })
  let out: string | Uint8Array = ''
  for (let sent = 0; sent <= maxWaitingLength && out === ''; sent += piece.length) {
    out = writer.write({ type: 'delta', choice: 0, part: 1, text: piece })
  }
  assert.equal(decode(Buffer.from(out))[0]?.[0], 'modelStreamErrorException')
  assert.equal(writer.write({ type: 'end' }), '')
})

test('errors are read by exception name, and by status where the body has none', () => {
  const body = { __type: 'com.amazon.coral.service#ThrottlingException', message: 'Slow down' }
  assert.deepEqual(bedrockConverse.readError(429, body), {
    kind: 'rate-limit',
    status: 429,
    code: 'ThrottlingException',
    message: 'Slow down',
  })
  assert.equal(
    bedrockConverse.readError(400, { message: 'The provided model identifier is invalid.' }).kind,
    'invalid-request',
  )
  assert.equal(bedrockConverse.readError(503, undefined).kind, 'overloaded')
})

test("a provider's word about the gateway's own credential is not passed on", () => {
  const error = bedrockConverse.readError(403, {
    __type: 'UnrecognizedClientException',
    message: 'The security token AKIA1 is invalid.',
  })
  assert.equal(error.status, 502)
  assert.doesNotMatch(JSON.stringify(error), /AKIA/)
})

test('errors carry the exception name, the code and the request id', () => {
  const body = bedrockConverse.writeError({
    kind: 'not-found',
    status: 404,
    code: 'access.model-not-found',
    message: 'No such model.',
    param: 'model',
    requestId: 'req_9',
  })
  assert.deepEqual(body, {
    __type: 'ResourceNotFoundException',
    message: 'No such model.',
    code: 'access.model-not-found',
    param: 'model',
    requestId: 'req_9',
  })
})
