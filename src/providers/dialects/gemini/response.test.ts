import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ApiError, type GenerateContentResponse, GoogleGenAI } from '@google/genai'
import type { CanonicalEvent } from '../../../domain/canonical.ts'
import type { JsonObject } from '../../../domain/json.ts'
import type { TokenUsage } from '../../../domain/usage.ts'
import { maxWaitingLength } from '../../serial-blocks.ts'
import {
  assertCutAnywhere,
  assertResponseSurvives,
  readStream,
  responseContext,
  writeStream,
} from '../dialect.contract.ts'
import { gemini, geminiJsonArrayWriter } from './index.ts'

const plain: JsonObject = {
  candidates: [{ content: { parts: [{ text: 'Hello' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 5, totalTokenCount: 9 },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'y5BnZ-AM',
}

const responses: Readonly<Record<string, JsonObject>> = {
  'plain text': plain,
  'calls, thoughts, images and code': {
    ...plain,
    candidates: [
      {
        content: {
          parts: [
            { text: 'hm', thought: true },
            { text: 'a', thoughtSignature: 'cw==' },
            { functionCall: { name: 'f', args: { a: [1] } }, thoughtSignature: 'cw==' },
            { functionCall: { id: 'x', name: 'g' } },
            { executableCode: { language: 'PYTHON', code: '1' } },
            { inlineData: { mimeType: 'image/png', data: 'AA==' } },
          ],
          role: 'model',
        },
        finishReason: 'STOP',
        safetyRatings: [],
        groundingMetadata: { webSearchQueries: ['x'] },
      },
    ],
    usageMetadata: {
      promptTokenCount: 4,
      toolUsePromptTokenCount: 2,
      candidatesTokenCount: 5,
      thoughtsTokenCount: 3,
      cachedContentTokenCount: 1,
      totalTokenCount: 14,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: 4 }],
    },
    createTime: '2026-01-02T03:04:05Z',
  },
  'a malformed call': {
    ...plain,
    candidates: [{ content: {}, finishReason: 'MALFORMED_FUNCTION_CALL', finishMessage: 'x', index: 0 }],
  },
  'no content': { ...plain, candidates: [{ finishReason: 'MAX_TOKENS', index: 0 }] },
  'an empty content with a role': {
    ...plain,
    candidates: [{ content: { role: 'model' }, finishReason: 'RECITATION', index: 0 }],
  },
  'several candidates': {
    ...plain,
    candidates: [0, 1].map((index) => ({
      content: { parts: [{ text: `${index}` }], role: 'model' },
      finishReason: 'STOP',
      index,
      avgLogprobs: -0.1,
    })),
  },
  'log probabilities': {
    ...plain,
    candidates: [
      {
        content: { parts: [{ text: 'a' }], role: 'model' },
        finishReason: 'STOP',
        index: 0,
        logprobsResult: {
          chosenCandidates: [{ token: 'a', logProbability: -0.5, tokenId: 1 }],
          topCandidates: [{ candidates: [{ token: 'a', logProbability: -0.5 }] }],
        },
      },
    ],
  },
  'a refused prompt': {
    promptFeedback: { blockReason: 'SAFETY' },
    usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 },
    modelVersion: 'm',
  },
}
for (const [name, body] of Object.entries(responses)) {
  test(`a response with ${name} survives the canonical form`, () => {
    assertResponseSurvives(gemini, body)
  })
}

test('function calls make the turn end with tool calls, and their ids follow from the response', () => {
  const body = responses['calls, thoughts, images and code'] ?? {}
  const [choice] = gemini.readResponse(body).choices
  assert.equal(choice?.stopReason, 'tool-calls')
  const ids = choice?.parts.flatMap((part) => (part.type === 'tool-call' ? [part.id] : []))
  assert.deepEqual(ids, ['call_y5BnZ-AM_0', 'x'])
  assert.deepEqual(gemini.readUsage(body), {
    inputTokens: 6,
    outputTokens: 8,
    cachedInputTokens: 1,
    cacheWriteTokens: 0,
    reasoningTokens: 3,
    estimated: false,
  })
})

test('a refused prompt reads as a choice cut by a filter', () => {
  const [choice] = gemini.readResponse(responses['a refused prompt'] ?? {}).choices
  assert.deepEqual(choice, { index: 0, parts: [], stopReason: 'content-filter' })
})

test('log probabilities of OpenAI shape are written as the API has them', () => {
  const body = gemini.writeResponse(
    {
      id: 'i',
      model: 'x',
      created: 1,
      choices: [
        {
          index: 0,
          parts: [{ type: 'text', text: 'a' }],
          stopReason: 'stop',
          logprobs: {
            content: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2 }] }],
          },
        },
      ],
    },
    responseContext(),
  )
  assert.deepEqual(JSON.parse(JSON.stringify(body['candidates'])), [
    {
      content: { parts: [{ text: 'a' }], role: 'model' },
      finishReason: 'STOP',
      index: 0,
      logprobsResult: {
        chosenCandidates: [{ token: 'a', logProbability: -1 }],
        topCandidates: [{ candidates: [{ token: 'b', logProbability: -2 }] }],
      },
    },
  ])
})

function sse(...chunks: readonly JsonObject[]): Buffer {
  return Buffer.from(chunks.map((data) => `data: ${JSON.stringify(data)}\r\n\r\n`).join(''))
}
function piece(part: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    candidates: [{ content: { parts: [part], role: 'model' }, index: 0, ...more }],
    usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 2, totalTokenCount: 6 },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'R1',
  }
}
const documented = sse(
  piece({ text: 'Thinking…', thought: true }),
  piece({ text: ' more', thought: true }),
  piece({ text: '', thought: true, thoughtSignature: 'cw==' }),
  piece({ text: 'Grüße ' }),
  piece({ text: 'aus Bergen' }),
  piece({ text: '', thoughtSignature: 'dA==' }),
  piece({ executableCode: { language: 'PYTHON', code: '1' } }),
  piece({ functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 'dQ==' }),
  piece({ functionCall: { id: 'own', name: 'g', args: {} } }),
  {
    ...piece({ text: '' }, { finishReason: 'STOP', groundingMetadata: { webSearchQueries: [] } }),
    usageMetadata: {
      promptTokenCount: 4,
      candidatesTokenCount: 9,
      thoughtsTokenCount: 3,
      totalTokenCount: 16,
    },
  },
)

test('a documented stream reads as the canonical grammar', () => {
  const events = readStream(gemini, documented)
  assert.deepEqual(
    events.map((event) => ('part' in event ? `${event.type} ${event.part}` : event.type)),
    [
      'start',
      ...['part-start 0', 'delta 0', 'delta 0', 'part-end 0'],
      ...['part-start 1', 'delta 1', 'delta 1', 'part-end 1'],
      ...['part-start 2', 'part-end 2'],
      ...['part-start 3', 'delta 3', 'part-end 3'],
      ...['part-start 4', 'delta 4', 'part-end 4'],
      ...['finish', 'usage', 'end'],
    ],
  )
  const usage = events.find((event) => event.type === 'usage')
  assert.deepEqual(usage?.usage, {
    inputTokens: 4,
    outputTokens: 12,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 3,
    estimated: false,
  })
  assert.equal(events.find((event) => event.type === 'finish')?.stopReason, 'tool-calls')
})

test('a stream reads the same however its bytes are cut', () => {
  assertCutAnywhere(gemini, documented)
})

test('a stream cut before its finish reason ends with an error', () => {
  const last = documented.lastIndexOf('data: ')
  for (const length of [0, 10, last - 1, last + 40]) {
    const types = readStream(gemini, documented.subarray(0, length), 7).map((event) => event.type)
    assert.deepEqual(types.slice(-2), ['error', 'end'])
  }
})

test('a refused prompt streams as a finish by a filter', () => {
  const events = readStream(gemini, sse(responses['a refused prompt'] ?? {}))
  assert.deepEqual(
    events.map((event) => event.type),
    ['start', 'finish', 'usage', 'end'],
  )
})

test('an error event ends the stream as what it is', () => {
  const events = readStream(
    gemini,
    sse(piece({ text: 'a' }), { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } }),
  )
  assert.deepEqual(events.slice(-2), [
    { type: 'error', error: { kind: 'overloaded', status: 503, code: 'UNAVAILABLE', message: 'overloaded' } },
    { type: 'end' },
  ])
})

/** What the official SDK makes of an answer, over a real connection. */
async function throughSdk(answer: {
  status?: number
  contentType: string
  body: Buffer
}): Promise<GenerateContentResponse[]> {
  const server = createServer((req, res) => {
    req.resume()
    res.writeHead(answer.status ?? 200, { 'content-type': answer.contentType })
    res.end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const client = new GoogleGenAI({
      apiKey: 'k',
      httpOptions: {
        baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        retryOptions: { attempts: 1 },
      },
    })
    const chunks: GenerateContentResponse[] = []
    for await (const chunk of await client.models.generateContentStream({ model: 'm', contents: 'x' }))
      chunks.push(chunk)
    return chunks
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

const usage: TokenUsage = {
  inputTokens: 9,
  outputTokens: 7,
  cachedInputTokens: 2,
  cacheWriteTokens: 0,
  reasoningTokens: 3,
  estimated: false,
}
const events: readonly CanonicalEvent[] = [
  { type: 'start', id: 'chatcmpl-1', model: 'x', created: 1 },
  { type: 'part-start', choice: 0, part: 0, kind: 'reasoning' },
  { type: 'delta', choice: 0, part: 0, text: 'hm' },
  { type: 'part-end', choice: 0, part: 0, signature: 's' },
  { type: 'part-start', choice: 0, part: 1, kind: 'text' },
  { type: 'delta', choice: 0, part: 1, text: 'He' },
  { type: 'delta', choice: 0, part: 1, text: 'llo' },
  { type: 'part-end', choice: 0, part: 1 },
  { type: 'part-start', choice: 0, part: 2, kind: 'tool-call', callId: 'a', name: 'f' },
  { type: 'part-start', choice: 0, part: 3, kind: 'tool-call', callId: 'b', name: 'g' },
  { type: 'delta', choice: 0, part: 3, text: '{"y":' },
  { type: 'delta', choice: 0, part: 2, text: '{"x":1}' },
  { type: 'delta', choice: 0, part: 3, text: '2}' },
  { type: 'part-end', choice: 0, part: 2 },
  { type: 'part-end', choice: 0, part: 3 },
  { type: 'finish', choice: 0, stopReason: 'tool-calls' },
  { type: 'usage', usage },
  { type: 'end' },
]

test('the official SDK reads a stream written from another dialect', async () => {
  const chunks = await throughSdk({ contentType: 'text/event-stream', body: writeStream(gemini, events) })
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? [])
  assert.deepEqual(parts, [
    { text: 'hm', thought: true },
    { text: '', thought: true, thoughtSignature: 's' },
    { text: 'He' },
    { text: 'llo' },
    { functionCall: { id: 'a', name: 'f', args: { x: 1 } } },
    { functionCall: { id: 'b', name: 'g', args: { y: 2 } } },
    { text: '' },
  ])
  const last = chunks.at(-1)
  assert.equal(last?.candidates?.[0]?.finishReason, 'STOP')
  assert.deepEqual(
    { ...last?.usageMetadata },
    {
      promptTokenCount: 9,
      candidatesTokenCount: 4,
      thoughtsTokenCount: 3,
      cachedContentTokenCount: 2,
      totalTokenCount: 16,
    },
  )
})

test('a rewritten stream reads as the original did', () => {
  const original = readStream(gemini, documented)
  const rewritten = writeStream(gemini, original, { ...responseContext(), model: 'gemini-2.5-flash' })
  assert.deepEqual(readStream(gemini, rewritten), original)
})

test('without alt=sse the stream is one JSON array', () => {
  const writer = geminiJsonArrayWriter(responseContext())
  const text = events.map((event) => String(writer.write(event))).join('')
  const chunks = JSON.parse(text) as JsonObject[]
  assert.equal(chunks.length, 7)
  assert.match(writer.contentType, /^application\/json/)
})

test('an error in a stream ends the JSON array, and reaches the SDK as an API error', async () => {
  const error = {
    kind: 'upstream',
    status: 502,
    code: 'upstream.broken',
    message: 'The model provider broke off its answer.',
  } as const
  const broken: CanonicalEvent[] = [...events.slice(0, 6), { type: 'error', error }, { type: 'end' }]
  const writer = geminiJsonArrayWriter(responseContext())
  const chunks = JSON.parse(broken.map((event) => String(writer.write(event))).join('')) as JsonObject[]
  assert.match(JSON.stringify(chunks.at(-1)), /"status":"INTERNAL"/)
  await assert.rejects(
    throughSdk({ contentType: 'text/event-stream', body: writeStream(gemini, broken) }),
    (thrown) => thrown instanceof ApiError && thrown.status === 502,
  )
})

test('arguments that wait are bounded: past the bound the stream ends with an error', () => {
  const writer = gemini.streamWriter(responseContext())
  const piece = 'x'.repeat(1024 * 1024)
  writer.write({ type: 'part-start', choice: 0, part: 0, kind: 'tool-call', callId: 'a', name: 'f' })
  let out = ''
  for (let sent = 0; sent <= maxWaitingLength && out === ''; sent += piece.length) {
    out = String(writer.write({ type: 'delta', choice: 0, part: 0, text: piece }))
  }
  assert.match(out, /^data: \{"error":/)
  assert.equal(writer.write({ type: 'end' }), '')
})

test('errors are read by status word, in a list too, and a bad key of the gateway is not told', () => {
  const body = { error: { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED' } }
  const expected = { kind: 'rate-limit', status: 429, code: 'RESOURCE_EXHAUSTED', message: 'Quota' }
  assert.deepEqual(gemini.readError(429, body), expected)
  assert.deepEqual(gemini.readError(429, [body]), expected)
  const badKey = gemini.readError(400, {
    error: {
      code: 400,
      message: 'API key not valid: AIza1',
      status: 'INVALID_ARGUMENT',
      details: [{ reason: 'API_KEY_INVALID' }],
    },
  })
  assert.equal(badKey.status, 502)
  assert.doesNotMatch(JSON.stringify(badKey), /AIza/)
  assert.equal(gemini.readError(504, 'x').kind, 'timeout')
})

test('errors are written as the official SDK reads them', async () => {
  const body = gemini.writeError({
    kind: 'not-found',
    status: 404,
    code: 'access.model-not-found',
    message: 'No such model.',
    param: 'model',
    requestId: 'req_9',
    documentationUrl: 'https://example.com',
  })
  await assert.rejects(
    throughSdk({ status: 404, contentType: 'application/json', body: Buffer.from(JSON.stringify(body)) }),
    (thrown) =>
      thrown instanceof ApiError &&
      thrown.status === 404 &&
      /No such model.*access\.model-not-found.*req_9/s.test(thrown.message),
  )
})
