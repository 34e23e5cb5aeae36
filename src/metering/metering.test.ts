import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { DialectId } from '../domain/dialect-id.ts'
import type { PriceRow } from '../domain/snapshot.ts'
import { noUsage, type TokenUsage } from '../domain/usage.ts'
import {
  compilePrices,
  costMicroUsd,
  createUsageTap,
  defaultPrices,
  estimateTokens,
  usageFromBody,
} from './index.ts'

const price = (model: string, rest: Partial<PriceRow> = {}): PriceRow => ({
  provider: 'openai',
  model,
  inputPerMillion: 1,
  outputPerMillion: 2,
  cachedInputPerMillion: null,
  cacheWritePerMillion: null,
  ...rest,
})

function usage(rest: Partial<TokenUsage>): TokenUsage {
  return { ...noUsage, ...rest }
}

/** Feeds `bytes` in pieces of the given sizes, repeated. */
function tapInPieces(dialect: DialectId, bytes: Buffer, sizes: readonly number[]): TokenUsage {
  const tap = createUsageTap(dialect)
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    tap.push(bytes.subarray(at, at + size))
    at += size
  }
  return tap.finish(() => 100)
}

function sse(...events: readonly object[]): Buffer {
  return Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
}

const chat = sse(
  { choices: [{ delta: { content: 'say "usage": {"prompt_tokens": 1}' } }], usage: null },
  {
    choices: [],
    usage: { prompt_tokens: 100, completion_tokens: 20, prompt_tokens_details: { cached_tokens: 64 } },
  },
)
const anthropic = sse(
  {
    type: 'message_start',
    message: {
      id: 'm',
      content: [],
      usage: { input_tokens: 10, cache_read_input_tokens: 90, output_tokens: 1 },
    },
  },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hello' } },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 33 } },
  { type: 'message_stop' },
)

/** Streams, and what they consumed. Rows are skipped by no one: a dialect without a reader would fail here. */
const streams: readonly (readonly [DialectId, Buffer, Partial<TokenUsage>])[] = [
  ['openai-chat', chat, { inputTokens: 100, outputTokens: 20, cachedInputTokens: 64 }],
  ['anthropic-messages', anthropic, { inputTokens: 100, outputTokens: 33, cachedInputTokens: 90 }],
  [
    'openai-responses',
    sse(
      { type: 'response.created', response: { usage: null } },
      { type: 'response.output_text.delta', delta: 'hi' },
      {
        type: 'response.completed',
        response: {
          output: [{ type: 'message' }],
          usage: { input_tokens: 7, output_tokens: 5, output_tokens_details: { reasoning_tokens: 3 } },
          metadata: {},
        },
      },
    ),
    { inputTokens: 7, outputTokens: 5, reasoningTokens: 3 },
  ],
  [
    'gemini',
    sse(
      { candidates: [{ content: { parts: [{ text: 'a' }] } }], usageMetadata: { promptTokenCount: 4 } },
      {
        candidates: [
          { content: { parts: [{ functionCall: { args: { usageMetadata: { promptTokenCount: 0 } } } }] } },
        ],
        usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 9, totalTokenCount: 13 },
        modelVersion: 'gemini-x',
      },
    ),
    { inputTokens: 4, outputTokens: 9 },
  ],
  [
    'bedrock-converse',
    Buffer.concat(
      [
        ['contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'hello' }, p: 'abc' }] as const,
        [
          'metadata',
          { usage: { inputTokens: 11, outputTokens: 12, totalTokens: 23 }, metrics: { latencyMs: 5 } },
        ] as const,
      ].map(([type, payload]) =>
        Buffer.concat([
          // As event-stream messages look to a search: lengths and checksums around headers and payload.
          Buffer.from([0, 0, 0, 0x9a, 0, 0, 0, 0x22, 0x7b, 0xd0, 0xa1, 0x7d, 0x0b]),
          Buffer.from(`:event-type\u0007\u0000\u0008${type}`),
          Buffer.from(JSON.stringify(payload)),
          Buffer.from([0x22, 0x7b, 0x0a, 0x99]),
        ]),
      ),
    ),
    { inputTokens: 11, outputTokens: 12 },
  ],
]

test('a tap finds the figures of every dialect’s stream, however it is cut', () => {
  for (const [dialect, bytes, expected] of streams) {
    const wanted = usage(expected)
    assert.deepEqual(tapInPieces(dialect, bytes, [bytes.length]), wanted, dialect)
    assert.deepEqual(tapInPieces(dialect, bytes, [1]), wanted, `${dialect} byte by byte`)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        assert.deepEqual(tapInPieces(dialect, bytes, sizes), wanted)
      }),
      { numRuns: 200 },
    )
  }
})

test('figures inside generated content do not count', () => {
  const forged = sse(
    {
      candidates: [
        { content: { parts: [{ functionCall: { args: { usageMetadata: { promptTokenCount: 1 } } } }] } },
      ],
      usageMetadata: { promptTokenCount: 400, candidatesTokenCount: 50 },
    },
    {
      candidates: [
        { content: { parts: [{ functionCall: { args: { usageMetadata: { promptTokenCount: 1 } } } }] } },
      ],
    },
  )
  for (const size of [1, 7, 4096]) assert.equal(tapInPieces('gemini', forged, [size]).inputTokens, 400)
  const body = Buffer.from(
    JSON.stringify({
      content: [{ type: 'tool_use', input: { usage: { input_tokens: 0, output_tokens: 0 } } }],
      usage: { input_tokens: 5, output_tokens: 6 },
      container: { usage: { input_tokens: 1 } },
    }),
  )
  assert.deepEqual(usageFromBody('anthropic-messages', body), usage({ inputTokens: 5, outputTokens: 6 }))
  const onlyInside = { content: [{ type: 'tool_use', input: { usage: { input_tokens: 9 } } }] }
  assert.equal(usageFromBody('anthropic-messages', Buffer.from(JSON.stringify(onlyInside))), undefined)
})

test('a stream without figures is estimated from its bytes and marked', () => {
  const bytes = sse(
    { choices: [{ delta: { content: 'x'.repeat(40) } }] },
    { choices: [{ delta: { content: 'y' } }] },
  )
  assert.deepEqual(
    tapInPieces('openai-chat', bytes, [bytes.length]),
    usage({ inputTokens: 100, outputTokens: 11, estimated: true }),
  )
})

test('a stream cut before its last figures keeps the told input and estimates the output', () => {
  const begun = anthropic.subarray(0, anthropic.indexOf('\n\n') + 2)
  const text = { type: 'text_delta', text: 'z'.repeat(400) }
  const longer = Buffer.concat([begun, sse({ type: 'content_block_delta', index: 0, delta: text })])
  const found = tapInPieces('anthropic-messages', longer, [longer.length])
  assert.equal(found.inputTokens, 100)
  assert.equal(found.estimated, true)
  assert.ok(found.outputTokens >= 100)
})

test('a tap survives any bytes, in bounded memory', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .constantFrom('"usage"', '"usage":{', '"usage": {"a":"', '}', '\n', '{', '"', '\\')
      .map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(
      fc.array(noise, { maxLength: 40 }),
      fc.constantFrom(...streams.map(([id]) => id)),
      (chunks, id) => {
        const tap = createUsageTap(id)
        for (const chunk of chunks) tap.push(Buffer.from(chunk))
        tap.finish(() => 0)
      },
    ),
    { numRuns: 300 },
  )
  const endless = createUsageTap('openai-chat')
  endless.push(Buffer.from('data: {"usage":{"a":"'))
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 2000; i += 1) endless.push(Buffer.alloc(16_384, 0x61))
  assert.ok(process.memoryUsage().heapUsed - before < 16_000_000)
  assert.equal(endless.finish(() => 1).estimated, true)
})

test('bodies: figures are read where they stand, in any spacing, and absent where there are none', () => {
  const body = (text: string) => usageFromBody('openai-chat', Buffer.from(text))
  assert.deepEqual(
    body('{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4},"system_fingerprint":"}"}'),
    usage({ inputTokens: 3, outputTokens: 4 }),
  )
  assert.deepEqual(
    body('{\n  "usage" : {\n "prompt_tokens": 3 },\n "x": {"a": ["{"]}\n}\n'),
    usage({ inputTokens: 3 }),
  )
  assert.deepEqual(
    body('{"usage":{"prompt_tokens":3},"usage_note":"usage","k":"usage"}'),
    usage({ inputTokens: 3 }),
  )
  for (const text of [
    '',
    '{}',
    'RIFF "usage":{}',
    '{"usage":null}',
    '{"usage":{"prompt_tokens":',
    '[{"usage":{}}]',
  ]) {
    assert.equal(body(text), undefined, text)
  }
})

test('a body’s figures are those that a full parse finds', () => {
  const value = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.constantFrom('usage', '"usage":{', '}}'),
      fc.dictionary(fc.constantFrom('usage', 'a', 'prompt_tokens', '"usage"'), tie('node'), { maxKeys: 3 }),
      fc.array(tie('node'), { maxLength: 3 }),
    ),
  })).node
  const figures = fc.option(fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() }), {
    nil: undefined,
  })
  fc.assert(
    fc.property(value, figures, value, (before, found, after) => {
      const whole = { before, ...(found === undefined ? {} : { usage: found }), after }
      const read = usageFromBody('openai-chat', Buffer.from(JSON.stringify(whole)))
      assert.deepEqual(
        read === undefined ? undefined : [read.inputTokens, read.outputTokens],
        found === undefined ? undefined : [found.prompt_tokens, found.completion_tokens],
      )
    }),
    { numRuns: 500 },
  )
})

test('a price is found exact before pattern, longest pattern first, own provider before any', () => {
  const book = compilePrices([
    price('gpt-4o*', { inputPerMillion: 1 }),
    price('gpt-4o-mini*', { inputPerMillion: 2 }),
    price('gpt-4o-mini', { inputPerMillion: 3 }),
    price('*', { provider: '*', inputPerMillion: 4 }),
    price('special', { provider: '*', inputPerMillion: 5 }),
    price('gpt-4o-mini', { inputPerMillion: 6 }),
  ])
  const found = (provider: string, model: string) => book.find(provider, model)?.inputPerMillion
  assert.equal(found('openai', 'gpt-4o-2024'), 1)
  assert.equal(found('openai', 'gpt-4o-mini-2024'), 2)
  assert.equal(found('openai', 'gpt-4o-mini'), 6, 'the later row overrides')
  assert.equal(found('openai', 'other'), 4)
  assert.equal(found('other', 'special'), 5)
  assert.equal(found('openai', '__proto__'), 4)
  assert.equal(compilePrices([]).find('openai', 'gpt-4o'), null)
})

test('cost is exact, with cached and cache-writing tokens at their own prices', () => {
  const row = price('m', {
    inputPerMillion: 3,
    outputPerMillion: 15,
    cachedInputPerMillion: 0.3,
    cacheWritePerMillion: 3.75,
  })
  const used = usage({ inputTokens: 1000, cachedInputTokens: 600, cacheWriteTokens: 100, outputTokens: 10 })
  assert.equal(costMicroUsd(row, used), 300 * 3 + 180 + 375 + 150)
  assert.equal(costMicroUsd(price('m', { inputPerMillion: 0.15 }), usage({ inputTokens: 3 })), 0)
  assert.equal(
    costMicroUsd(price('m', { inputPerMillion: 0.15 }), usage({ inputTokens: 4 })),
    1,
    'half up: 0.6 → 1',
  )
  assert.equal(
    costMicroUsd(price('m', { inputPerMillion: 0.1 }), usage({ inputTokens: 30 })),
    3,
    'no binary fractions',
  )
  assert.equal(costMicroUsd(price('m', { inputPerMillion: 600 }), usage({ inputTokens: 1e12 })), 6e14)
  fc.assert(
    fc.property(fc.nat(2e9), fc.integer({ min: 0, max: 1_000_000 }), (tokens, scaled) => {
      const exact = (BigInt(tokens) * BigInt(scaled) + 500_000n) / 1_000_000n
      const priced = price('m', { inputPerMillion: scaled / 1e6 })
      assert.equal(costMicroUsd(priced, usage({ inputTokens: tokens })), Number(exact))
    }),
  )
  fc.assert(
    fc.property(fc.nat(1e7), fc.nat(1e7), fc.nat(1e7), (a, b, out) => {
      const one = costMicroUsd(row, usage({ inputTokens: a, outputTokens: out }))
      const more = costMicroUsd(row, usage({ inputTokens: a + b, outputTokens: out }))
      assert.ok(Number.isSafeInteger(one) && more >= one)
    }),
  )
})

test('the built-in prices are complete rows without contradictions', () => {
  const seen = new Map<string, PriceRow>()
  for (const row of defaultPrices) {
    const name = `${row.provider} ${row.model}`
    assert.ok(!seen.has(name), `${name} appears twice`)
    seen.set(name, row)
    for (const figure of [row.inputPerMillion, row.outputPerMillion, row.cachedInputPerMillion ?? 0]) {
      assert.ok(figure >= 0 && Math.abs(figure * 1e6 - Math.round(figure * 1e6)) < 1e-6, name)
    }
    assert.ok((row.cachedInputPerMillion ?? 0) <= row.inputPerMillion, name)
  }
  const book = compilePrices(defaultPrices)
  const find = (provider: string, model: string) => book.find(provider, model)
  assert.equal(find('openai', 'gpt-4o-mini-2024-07-18')?.inputPerMillion, 0.15)
  assert.equal(find('azure-openai', 'gpt-4o')?.outputPerMillion, 10)
  assert.equal(find('anthropic', 'claude-opus-4-5-20251101')?.inputPerMillion, 5)
  assert.equal(find('anthropic', 'claude-opus-4-20250514')?.inputPerMillion, 15)
  assert.equal(find('bedrock', 'eu.anthropic.claude-haiku-4-5-20251001-v1:0')?.inputPerMillion, 1.1)
  assert.equal(find('gemini', 'gemini-2.5-flash')?.outputPerMillion, 2.5)
  assert.equal(
    find('gemini', 'gemini-2.5-flash-preview-tts'),
    null,
    'a model with other prices is not guessed',
  )
  assert.equal(find('sandbox', 'anything')?.inputPerMillion, 0)
  assert.equal(find('ollama', 'gpt-4o'), null)
})

test('bytes are estimated at four a token', () => {
  const tokens = [0, 1, 5, 400].map((bytes) => estimateTokens(bytes))
  assert.deepEqual(tokens, [0, 1, 2, 100])
})
