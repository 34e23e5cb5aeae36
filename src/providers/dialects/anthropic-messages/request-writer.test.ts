import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CanonicalRequest, Message } from '../../../domain/canonical.ts'
import type { JsonObject } from '../../../domain/json.ts'
import { plainRequest, refusedField, writeRequest } from '../dialect.contract.ts'
import { anthropicMessages } from './index.ts'

/** A request as a caller of another dialect would have sent it. */
function foreign(change: Partial<CanonicalRequest>): CanonicalRequest {
  return { ...plainRequest, dialect: 'openai-chat', ...change }
}
function withParts(...parts: Message['parts']): CanonicalRequest {
  return foreign({ messages: [{ role: 'user', parts }] })
}

test('a limit is sent where the caller gave none, and said so', () => {
  const { body, downgrades } = writeRequest(anthropicMessages, foreign({}))
  assert.equal(body['max_tokens'], 8192)
  assert.deepEqual(
    downgrades.map((one) => one.field),
    ['max_completion_tokens'],
  )
})

test('tool results of several messages join the next user message', () => {
  const { body } = writeRequest(
    anthropicMessages,
    foreign({
      maxOutputTokens: 10,
      tools: [{ name: 'f' }],
      parallelToolCalls: false,
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'S' }] },
        { role: 'user', parts: [{ type: 'text', text: 'q' }] },
        {
          role: 'assistant',
          parts: [
            { type: 'text', text: '' },
            { type: 'tool-call', id: 'a', name: 'f', arguments: '' },
            { type: 'tool-call', id: 'b', name: 'f', arguments: '{"x":1}' },
          ],
        },
        {
          role: 'tool',
          parts: [{ type: 'tool-result', callId: 'a', content: [{ type: 'text', text: '1' }] }],
        },
        { role: 'tool', parts: [{ type: 'tool-result', callId: 'b', content: [] }] },
        { role: 'user', parts: [{ type: 'text', text: 'more' }] },
      ],
    }),
  )
  assert.deepEqual(body, {
    model: 'm',
    max_tokens: 10,
    system: 'S',
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'q' }] },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'a', name: 'f', input: {} },
          { type: 'tool_use', id: 'b', name: 'f', input: { x: 1 } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: '1' },
          { type: 'tool_result', tool_use_id: 'b' },
          { type: 'text', text: 'more' },
        ],
      },
    ],
    tools: [{ name: 'f', input_schema: { type: 'object', properties: {} } }],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
  })
})

test('an instruction in mid conversation moves to the system prompt, and is reported', () => {
  const { body, downgrades } = writeRequest(
    anthropicMessages,
    foreign({
      maxOutputTokens: 1,
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'A' }] },
        { role: 'user', parts: [{ type: 'text', text: 'q' }] },
        { role: 'system', parts: [{ type: 'text', text: 'B' }] },
      ],
    }),
  )
  assert.deepEqual(body['system'], [
    { type: 'text', text: 'A' },
    { type: 'text', text: 'B' },
  ])
  assert.deepEqual(
    downgrades.map((one) => one.field),
    ['messages[2]'],
  )
})

const reasoned: readonly (readonly [
  string,
  CanonicalRequest['reasoning'],
  number | undefined,
  JsonObject,
])[] = [
  ['no reasoning', { effort: 'none' }, 100, { thinking: { type: 'disabled' } }],
  [
    'high effort',
    { effort: 'high', visible: true },
    100,
    { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'high' } },
  ],
  [
    'minimal effort',
    { effort: 'minimal' },
    100,
    { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
  ],
  ['a budget', { budgetTokens: 2000 }, 4000, { thinking: { type: 'enabled', budget_tokens: 2000 } }],
  [
    'a budget below the least',
    { budgetTokens: 10 },
    4000,
    { thinking: { type: 'enabled', budget_tokens: 1024 } },
  ],
  [
    'a budget beyond the limit',
    { budgetTokens: 5000 },
    4000,
    { thinking: { type: 'enabled', budget_tokens: 3999 } },
  ],
  ['a budget with no room', { budgetTokens: 5000 }, 500, {}],
]
for (const [name, reasoning, limit, expected] of reasoned) {
  test(`reasoning is expressed for ${name}`, () => {
    const { body } = writeRequest(
      anthropicMessages,
      foreign({ ...present({ reasoning }), ...present({ maxOutputTokens: limit }) }),
    )
    const { thinking, output_config } = body
    assert.deepEqual(present({ thinking, output_config }), expected)
  })
}
function present(fields: Record<string, unknown>): Record<string, never> {
  return Object.fromEntries(Object.entries(fields).filter((entry) => entry[1] !== undefined)) as Record<
    string,
    never
  >
}

const refused: readonly (readonly [string, CanonicalRequest])[] = [
  ['n', foreign({ sampling: { candidates: 2 } })],
  ['logprobs', foreign({ sampling: { logprobs: true } })],
  [
    'messages[0].content[0]',
    withParts({ type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: '' } }),
  ],
  [
    'messages[0].content[0]',
    withParts({ type: 'image', source: { kind: 'base64', mediaType: 'image/bmp', data: '' } }),
  ],
  ['messages[0].content[0]', withParts({ type: 'image', source: { kind: 'file', fileId: 'f' } })],
  ['messages[0].content[0]', withParts({ type: 'image', source: { kind: 'url', url: 'gs://bucket/a' } })],
  [
    'x.tool',
    foreign({
      builtinTools: [
        { type: 'opaque', native: { dialect: 'gemini', fields: { googleSearch: {} }, at: 'x.tool' } },
      ],
    }),
  ],
  ['novel', foreign({ native: { dialect: 'openai-chat', fields: { novel: 1 }, at: '' } })],
]
for (const [field, body] of refused) {
  test(`what cannot be expressed is refused by the caller's name: ${field}`, () => {
    assert.equal(
      refusedField(() => writeRequest(anthropicMessages, body)),
      `dialect.cannot-express ${field}`,
    )
  })
}

test("hints that are lost are reported by the caller's names", () => {
  const { body, downgrades } = writeRequest(
    anthropicMessages,
    foreign({
      maxOutputTokens: 1,
      sampling: { seed: 1, temperature: 1.5, frequencyPenalty: 0, presencePenalty: 0.5 },
      output: { type: 'json' },
      metadata: { a: 'b' },
      serviceTier: 'flex',
      endUser: 'u',
    }),
  )
  assert.deepEqual(downgrades.map((one) => one.field).sort(), [
    'metadata',
    'presence_penalty',
    'response_format',
    'seed',
    'service_tier',
    'temperature',
  ])
  assert.equal(body['temperature'], 1)
  assert.deepEqual(body['metadata'], { user_id: 'u' })
})

test('a Bedrock cache point becomes cache_control of the block before it', () => {
  const { body } = writeRequest(
    anthropicMessages,
    foreign({
      dialect: 'bedrock-converse',
      maxOutputTokens: 1,
      messages: [
        {
          role: 'user',
          parts: [
            {
              type: 'text',
              text: 'long',
              native: { dialect: 'bedrock-converse', fields: { cachePoint: { type: 'default', ttl: '1h' } } },
            },
          ],
        },
      ],
    }),
  )
  assert.deepEqual(body['messages'], [
    {
      role: 'user',
      content: [{ type: 'text', text: 'long', cache_control: { type: 'ephemeral', ttl: '1h' } }],
    },
  ])
})

test('thinking gives way to a forced tool, and sampling to thinking, and both are reported', () => {
  const thinking = foreign({ maxOutputTokens: 10, reasoning: { effort: 'high' }, tools: [{ name: 'f' }] })
  const forced = writeRequest(anthropicMessages, { ...thinking, toolChoice: { type: 'required' } })
  assert.equal(forced.body['thinking'], undefined)
  assert.deepEqual(
    forced.downgrades.map((one) => one.field),
    ['reasoning_effort'],
  )
  const sampled = writeRequest(anthropicMessages, { ...thinking, sampling: { temperature: 0.3, topK: 5 } })
  assert.deepEqual([sampled.body['temperature'], sampled.body['top_k']], [undefined, undefined])
  assert.deepEqual(
    sampled.downgrades.map((one) => one.field),
    ['temperature', 'top_k'],
  )
})

test('ids that the API would refuse are rewritten alike on a call and its result', () => {
  const { body } = writeRequest(
    anthropicMessages,
    foreign({
      maxOutputTokens: 10,
      messages: [
        {
          role: 'assistant',
          parts: [{ type: 'tool-call', id: 'functions.f:0', name: 'f', arguments: '{}' }],
        },
        { role: 'tool', parts: [{ type: 'tool-result', callId: 'functions.f:0', content: [] }] },
      ],
    }),
  )
  const ids = [...JSON.stringify(body).matchAll(/"(?:id|tool_use_id)":"([^"]*)"/g)].map((match) => match[1])
  assert.match(ids[0] ?? '', /^functions_f_0_[0-9a-f]{12}$/)
  assert.equal(ids[1], ids[0])
})
