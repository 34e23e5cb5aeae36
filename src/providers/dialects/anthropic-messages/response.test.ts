import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic, { APIError } from '@anthropic-ai/sdk'
import fc from 'fast-check'
import type { CanonicalEvent } from '../../../domain/canonical.ts'
import type { JsonObject } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import { maxWaitingLength } from '../../serial-blocks.ts'
import {
  assertCutAnywhere,
  assertCutShort,
  assertResponseSurvives,
  readStream,
  responseContext,
  writeStream,
} from '../dialect.contract.ts'
import { anthropicMessages } from './index.ts'

const message: JsonObject = {
  id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: 'Hi! My name is Claude.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 25 },
}

const responses: Readonly<Record<string, JsonObject>> = {
  'plain text': message,
  'tools, thinking and cache figures': {
    ...message,
    content: [
      { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'ZA==' },
      { type: 'text', text: 'a', citations: null },
      { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: [1] }, caller: { type: 'direct' } },
      { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
    ],
    stop_reason: 'tool_use',
    container: null,
    stop_details: null,
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 5,
      cache_read_input_tokens: 7,
      cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 0 },
      output_tokens: 25,
      output_tokens_details: { thinking_tokens: 3 },
      server_tool_use: { web_search_requests: 1 },
      service_tier: 'standard',
    },
  },
  'a stop sequence': { ...message, stop_reason: 'stop_sequence', stop_sequence: '###' },
  'a full context window': { ...message, stop_reason: 'model_context_window_exceeded' },
  'a pause': { ...message, stop_reason: 'pause_turn' },
  'a refusal': {
    ...message,
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: 'cyber', explanation: null },
  },
}
for (const [name, body] of Object.entries(responses)) {
  test(`a response with ${name} survives the canonical form`, () => {
    assertResponseSurvives(anthropicMessages, body)
  })
}

test('usage counts cached and cache-writing tokens within the input', () => {
  assert.deepEqual(anthropicMessages.readUsage(responses['tools, thinking and cache figures'] ?? {}), {
    inputTokens: 22,
    outputTokens: 25,
    cachedInputTokens: 7,
    cacheWriteTokens: 5,
    reasoningTokens: 3,
    estimated: false,
  })
  assert.equal(anthropicMessages.readUsage({ type: 'ping' }), undefined)
})

/** Streams as the public documentation shows them. */
function sse(...events: readonly JsonObject[]): Buffer {
  return Buffer.from(
    events.map((data) => `event: ${String(data['type'])}\ndata: ${JSON.stringify(data)}\n\n`).join(''),
  )
}
const start = {
  type: 'message_start',
  message: {
    ...message,
    content: [],
    stop_reason: null,
    usage: { input_tokens: 472, cache_read_input_tokens: 8, output_tokens: 2 },
  },
}
const documented = sse(
  start,
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'I näed' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'EqQBCg==' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'ZA==' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'content_block_start', index: 2, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 2, delta: { type: 'text_delta', text: 'Okay, ' } },
  { type: 'content_block_delta', index: 2, delta: { type: 'text_delta', text: 'let’s check' } },
  {
    type: 'content_block_delta',
    index: 2,
    delta: { type: 'citations_delta', citation: { type: 'char_location', cited_text: 'x' } },
  },
  { type: 'content_block_stop', index: 2 },
  {
    type: 'content_block_start',
    index: 3,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} },
  },
  { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '' } },
  {
    type: 'content_block_delta',
    index: 3,
    delta: { type: 'input_json_delta', partial_json: '{"location":' },
  },
  {
    type: 'content_block_delta',
    index: 3,
    delta: { type: 'input_json_delta', partial_json: ' "San Francisco"}' },
  },
  { type: 'content_block_stop', index: 3 },
  {
    type: 'content_block_start',
    index: 4,
    content_block: { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
  },
  {
    type: 'content_block_delta',
    index: 4,
    delta: { type: 'input_json_delta', partial_json: '{"query":"x"}' },
  },
  { type: 'content_block_stop', index: 4 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 89 },
  },
  { type: 'message_stop' },
)

test('a documented stream reads as the canonical grammar', () => {
  const events = readStream(anthropicMessages, documented)
  assert.deepEqual(
    events.map((event) => ('part' in event ? `${event.type} ${event.part}` : event.type)),
    [
      'start',
      ...['part-start 0', 'delta 0', 'part-end 0'],
      ...['part-start 1', 'part-end 1'],
      ...['part-start 2', 'delta 2', 'delta 2', 'part-end 2'],
      ...['part-start 3', 'delta 3', 'delta 3', 'part-end 3'],
      ...['part-start 4', 'delta 4', 'part-end 4'],
      ...['finish', 'usage', 'end'],
    ],
  )
  const usage = events.find((event) => event.type === 'usage')
  assert.equal(usage?.usage.inputTokens, 480)
  assert.equal(usage?.usage.outputTokens, 89)
  const ends = events.filter((event) => event.type === 'part-end')
  assert.equal(ends[0]?.signature, 'EqQBCg==')
  assert.equal(ends[1]?.encrypted, 'ZA==')
})

test('a stream reads the same however its bytes are cut', () => {
  assertCutAnywhere(anthropicMessages, documented)
})

test('a stream cut short ends with an error', () => {
  const stop = documented.lastIndexOf('event: message_stop')
  assertCutShort(anthropicMessages, documented, documented.indexOf('}', stop))
})

test('a call without arguments reads as an empty object, and one given whole at the start is kept', () => {
  for (const input of [{}, { a: 1 }]) {
    const events = readStream(
      anthropicMessages,
      sse(
        start,
        {
          type: 'content_block_start',
          index: 0,
          content_block: { type: 'tool_use', id: 't', name: 'f', input },
        },
        { type: 'content_block_stop', index: 0 },
      ),
    )
    const delta = events.find((event) => event.type === 'delta')
    assert.equal(delta?.text, JSON.stringify(input))
  }
})

test('an error event ends the stream as what it is', () => {
  const events = readStream(
    anthropicMessages,
    sse(start, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
  )
  assert.deepEqual(events.slice(1), [
    {
      type: 'error',
      error: { kind: 'overloaded', status: 529, code: 'overloaded_error', message: 'Overloaded' },
    },
    { type: 'end' },
  ])
})

type SdkMessage = Anthropic.Message

/** What the official SDK makes of a stream. */
async function throughSdk(bytes: Buffer): Promise<SdkMessage> {
  const client = new Anthropic({
    apiKey: 'k',
    maxRetries: 0,
    fetch: () =>
      Promise.resolve(
        new Response(new Uint8Array(bytes), { headers: { 'content-type': 'text/event-stream' } }),
      ),
  })
  return client.messages
    .stream({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] })
    .finalMessage()
}

test('the official SDK reads a rewritten stream as it reads the original', async () => {
  const events = readStream(anthropicMessages, documented)
  const rewritten = writeStream(anthropicMessages, events, {
    ...responseContext(),
    model: 'claude-sonnet-4-5',
  })
  assert.deepEqual(await throughSdk(rewritten), await throughSdk(documented))
  assert.deepEqual(readStream(anthropicMessages, rewritten), events)
})

const usage: TokenUsage = {
  inputTokens: 9,
  outputTokens: 7,
  cachedInputTokens: 2,
  cacheWriteTokens: 0,
  reasoningTokens: 3,
  estimated: false,
}
/** As openai-chat gives it: calls that interleave, usage after the end. */
const interleaved: readonly CanonicalEvent[] = [
  { type: 'start', id: 'chatcmpl-1', model: 'x', created: 1 },
  { type: 'part-start', choice: 0, part: 0, kind: 'reasoning' },
  { type: 'delta', choice: 0, part: 0, text: 'hm' },
  { type: 'part-end', choice: 0, part: 0, encrypted: 'ZW5j' },
  { type: 'part-start', choice: 0, part: 1, kind: 'reasoning' },
  { type: 'part-end', choice: 0, part: 1, encrypted: 'bW9yZQ==' },
  { type: 'part-start', choice: 0, part: 2, kind: 'tool-call', callId: 'a', name: 'f' },
  { type: 'part-start', choice: 0, part: 3, kind: 'tool-call', callId: 'b', name: 'g' },
  { type: 'delta', choice: 0, part: 3, text: '{"y"' },
  { type: 'delta', choice: 0, part: 2, text: '{"x":1}' },
  { type: 'part-start', choice: 0, part: 4, kind: 'tool-call', callId: 'c', name: 'h' },
  { type: 'part-start', choice: 1, part: 0, kind: 'text' },
  { type: 'delta', choice: 1, part: 0, text: 'other choice' },
  { type: 'part-end', choice: 0, part: 2 },
  { type: 'delta', choice: 0, part: 3, text: ':2}' },
  { type: 'delta', choice: 0, part: 4, text: '{}' },
  { type: 'part-end', choice: 0, part: 4 },
  { type: 'part-end', choice: 0, part: 3 },
  { type: 'finish', choice: 0, stopReason: 'tool-calls' },
  { type: 'usage', usage },
  { type: 'end' },
]

test('interleaved calls are written one after the other, as the official SDK demands', async () => {
  const bytes = writeStream(anthropicMessages, interleaved)
  const names = [...bytes.toString().matchAll(/^event: (.*)$/gm)].map((match) => match[1])
  const blocks = names.filter((name) => name === 'content_block_start' || name === 'content_block_stop')
  assert.deepEqual(
    blocks,
    Array.from({ length: blocks.length }, (_, index) =>
      index % 2 === 0 ? 'content_block_start' : 'content_block_stop',
    ),
  )
  assert.deepEqual(
    [names[0], names[1], names[2], ...names.slice(-2)],
    ['message_start', 'content_block_start', 'ping', 'message_delta', 'message_stop'],
  )
  const final = await throughSdk(bytes)
  assert.deepEqual(
    final.content.map((block) => ({ ...block })),
    [
      { type: 'thinking', thinking: 'hm', signature: '' },
      { type: 'redacted_thinking', data: 'ZW5j' },
      { type: 'redacted_thinking', data: 'bW9yZQ==' },
      { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
      { type: 'tool_use', id: 'b', name: 'g', input: { y: 2 } },
      { type: 'tool_use', id: 'c', name: 'h', input: {} },
    ],
  )
  assert.equal(final.stop_reason, 'tool_use')
  assert.equal(final.usage.input_tokens, 7)
  assert.equal(final.usage.cache_read_input_tokens, 2)
  assert.equal(final.usage.output_tokens, 7)
})

test('any interleaving keeps every part whole and in order of its start', async () => {
  const parts = fc.array(
    fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), { maxLength: 4 }),
    { minLength: 1, maxLength: 4 },
  )
  await fc.assert(
    fc.asyncProperty(parts, fc.infiniteStream(fc.nat()), async (texts, random) => {
      const left = texts.map((pieces, part): CanonicalEvent[] => [
        { type: 'part-start', choice: 0, part, kind: 'text' },
        ...pieces.map((text): CanonicalEvent => ({ type: 'delta', choice: 0, part, text })),
        { type: 'part-end', choice: 0, part },
      ])
      const events: CanonicalEvent[] = [{ type: 'start', id: 'i', model: 'x', created: 1 }]
      const order: number[] = []
      for (
        let live = left.filter((one) => one.length > 0);
        live.length > 0;
        live = left.filter((one) => one.length > 0)
      ) {
        const event = live[(random.next().value as number) % live.length]?.shift()
        if (event === undefined) continue
        if (event.type === 'part-start') order.push(event.part)
        events.push(event)
      }
      events.push({ type: 'finish', choice: 0, stopReason: 'stop' }, { type: 'end' })
      const final = await throughSdk(writeStream(anthropicMessages, events))
      assert.deepEqual(
        final.content.map((block) => (block.type === 'text' ? block.text : '')),
        order.map((part) => texts[part]?.join('') ?? ''),
      )
    }),
    { numRuns: 100 },
  )
})

test('parts that wait are bounded: past the bound the stream ends with an error', () => {
  const writer = anthropicMessages.streamWriter(responseContext())
  const piece = 'x'.repeat(1024 * 1024)
  for (const part of [0, 1]) writer.write({ type: 'part-start', choice: 0, part, kind: 'text' })
  let out = ''
  for (let sent = 0; sent <= maxWaitingLength && out === ''; sent += piece.length) {
    out = String(writer.write({ type: 'delta', choice: 0, part: 1, text: piece }))
  }
  assert.match(out, /^event: error\ndata: \{"type":"error"/)
  assert.equal(writer.write({ type: 'end' }), '')
})

test('an error in a stream reaches the SDK as an API error', async () => {
  const bytes = writeStream(anthropicMessages, [
    { type: 'start', id: 'i', model: 'x', created: 1 },
    {
      type: 'error',
      error: {
        kind: 'upstream',
        status: 502,
        code: 'upstream.broken',
        message: 'The model provider broke off its answer.',
        requestId: 'req_1',
      },
    },
    { type: 'end' },
  ])
  await assert.rejects(
    throughSdk(bytes),
    (error) =>
      error instanceof APIError && error.type === 'api_error' && error.errorCode === 'upstream.broken',
  )
})

test('errors are read by type, and by status where the body says nothing', () => {
  assert.deepEqual(
    anthropicMessages.readError(429, {
      type: 'error',
      error: { type: 'rate_limit_error', message: 'slow down' },
    }),
    {
      kind: 'rate-limit',
      status: 429,
      code: 'rate_limit_error',
      message: 'slow down',
    },
  )
  assert.equal(anthropicMessages.readError(529, undefined).kind, 'overloaded')
  assert.equal(anthropicMessages.readError(400, [null]).kind, 'invalid-request')
})

test("a provider's word about the gateway's own key is not passed on", () => {
  const error = anthropicMessages.readError(401, {
    error: { type: 'authentication_error', message: 'invalid x-api-key sk-1' },
  })
  assert.equal(error.status, 502)
  assert.doesNotMatch(JSON.stringify(error), /sk-1/)
})

test('errors are written as the official SDK reads them', () => {
  const body = anthropicMessages.writeError({
    kind: 'not-found',
    status: 404,
    code: 'access.model-not-found',
    message: 'No such model.',
    param: 'model',
    requestId: 'req_9',
    documentationUrl: 'https://example.com',
  })
  const error = APIError.generate(404, body, undefined, new Headers())
  assert.equal(error.type, 'not_found_error')
  assert.equal(error.errorCode, 'access.model-not-found')
  assert.equal(error.apiMessage, 'No such model.')
  assert.equal(body['request_id'], 'req_9')
})

test('only the first of several choices is written, and that is reported', () => {
  const ctx = responseContext()
  const body = anthropicMessages.writeResponse(
    {
      id: 'i',
      model: 'x',
      created: 1,
      choices: [0, 1].map((index) => ({
        index,
        parts: [{ type: 'text', text: `${index}` }],
        stopReason: 'stop' as const,
      })),
    },
    ctx,
  )
  assert.deepEqual(body['content'], [{ type: 'text', text: '0' }])
  assert.deepEqual(
    ctx.downgrades.map((one) => one.field),
    ['choices'],
  )
})

test('arguments that are not JSON stay visible to the caller', () => {
  const ctx = responseContext()
  const body = anthropicMessages.writeResponse(
    {
      id: 'i',
      model: 'x',
      created: 1,
      choices: [
        {
          index: 0,
          parts: [{ type: 'tool-call', id: 'a', name: 'f', arguments: '{"x":' }],
          stopReason: 'tool-calls',
        },
      ],
    },
    ctx,
  )
  assert.deepEqual(body['content'], [{ type: 'tool_use', id: 'a', name: 'f', input: { arguments: '{"x":' } }])
  assert.equal(ctx.downgrades.length, 1)
})
