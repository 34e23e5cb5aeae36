import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CanonicalRequest, Message } from '../../../domain/canonical.ts'
import { anthropicMessages } from '../anthropic-messages/index.ts'
import { plainRequest, refusedField, writeRequest } from '../dialect.contract.ts'
import { bedrockConverse } from './index.ts'

const ctx = { model: 'anthropic.claude-sonnet-4-5-20250929-v1:0' }
const minimal = { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] }

function foreign(change: Partial<CanonicalRequest>): CanonicalRequest {
  return { ...plainRequest, dialect: 'openai-chat', ...change }
}
function withParts(...parts: Message['parts']): CanonicalRequest {
  return foreign({ messages: [{ role: 'user', parts }] })
}

test('a conversation of another dialect is written with roles in turn', () => {
  const { body, downgrades } = writeRequest(
    bedrockConverse,
    foreign({
      maxOutputTokens: 10,
      tools: [{ name: 'f' }],
      toolChoice: { type: 'required' },
      reasoning: { budgetTokens: 100 },
      sampling: { topK: 4 },
      serviceTier: 'default',
      metadata: { a: 'b' },
      output: { type: 'json-schema', name: 'n', schema: { type: 'object' } },
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'S' }] },
        { role: 'user', parts: [{ type: 'text', text: 'q' }] },
        { role: 'user', parts: [{ type: 'text', text: 'r' }] },
        {
          role: 'assistant',
          parts: [
            { type: 'text', text: '' },
            { type: 'tool-call', id: 'a', name: 'f', arguments: '' },
          ],
        },
        { role: 'tool', parts: [{ type: 'tool-result', callId: 'a', content: [] }] },
        {
          role: 'user',
          parts: [
            {
              type: 'document',
              name: 'my_file.pdf',
              source: { kind: 'base64', mediaType: 'application/pdf', data: 'AA==' },
            },
          ],
        },
      ],
    }),
    'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  )
  assert.deepEqual(downgrades, [])
  assert.deepEqual(body, {
    system: [{ text: 'S' }],
    messages: [
      { role: 'user', content: [{ text: 'q' }, { text: 'r' }] },
      { role: 'assistant', content: [{ toolUse: { toolUseId: 'a', name: 'f', input: {} } }] },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 'a', content: [{ text: '(no output)' }] } },
          { document: { format: 'pdf', name: 'my file pdf', source: { bytes: 'AA==' } } },
        ],
      },
    ],
    inferenceConfig: { maxTokens: 10 },
    toolConfig: {
      tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object', properties: {} } } } }],
      toolChoice: { any: {} },
    },
    additionalModelRequestFields: { top_k: 4, thinking: { type: 'enabled', budget_tokens: 1024 } },
    outputConfig: {
      textFormat: {
        type: 'json_schema',
        structure: { jsonSchema: { schema: '{"type":"object"}', name: 'n' } },
      },
    },
    requestMetadata: { a: 'b' },
    serviceTier: { type: 'default' },
  })
})

test("Anthropic's cache hints become cache points, and the way back", () => {
  const cache_control = { type: 'ephemeral', ttl: '1h' }
  const anthropic = {
    model: 'm',
    max_tokens: 5,
    system: [{ type: 'text', text: 'S', cache_control }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'q', cache_control: { type: 'ephemeral' } }] },
    ],
    tools: [{ name: 'f', input_schema: { type: 'object' }, cache_control }],
  }
  const { body, downgrades } = writeRequest(bedrockConverse, anthropicMessages.readRequest(anthropic, {}))
  assert.deepEqual(downgrades, [])
  assert.deepEqual(body, {
    system: [{ text: 'S' }, { cachePoint: { type: 'default', ttl: '1h' } }],
    messages: [{ role: 'user', content: [{ text: 'q' }, { cachePoint: { type: 'default' } }] }],
    inferenceConfig: { maxTokens: 5 },
    toolConfig: {
      tools: [
        { toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } },
        { cachePoint: { type: 'default', ttl: '1h' } },
      ],
    },
  })
  const back = writeRequest(anthropicMessages, bedrockConverse.readRequest(body, { model: 'm' }))
  assert.deepEqual(back.downgrades, [])
  assert.deepEqual(back.body, anthropic)
})

const refused: readonly (readonly [string, CanonicalRequest])[] = [
  ['n', foreign({ sampling: { candidates: 2 } })],
  [
    'messages[0].content[0]',
    withParts({ type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } }),
  ],
  [
    'messages[0].content[0]',
    withParts({ type: 'image', source: { kind: 'base64', mediaType: 'image/bmp', data: '' } }),
  ],
  [
    'messages[0].content[0]',
    withParts({ type: 'document', source: { kind: 'file', fileId: 'f', mediaType: 'application/pdf' } }),
  ],
  [
    'tool_choice',
    { ...withParts({ type: 'tool-result', callId: 'a', content: [] }), toolChoice: { type: 'none' } },
  ],
]
for (const [field, body] of refused) {
  test(`what cannot be expressed is refused by the caller's name: ${field}`, () => {
    assert.equal(
      refusedField(() => writeRequest(bedrockConverse, body)),
      `dialect.cannot-express ${field}`,
    )
  })
}

test('without calls in the conversation, forbidding tools is to send none', () => {
  const { body } = writeRequest(
    bedrockConverse,
    foreign({ tools: [{ name: 'f' }], toolChoice: { type: 'none' } }),
  )
  assert.equal(body['toolConfig'], undefined)
})

test('a guardrail is never dropped for another provider', () => {
  const read = bedrockConverse.readRequest({ ...minimal, guardrailConfig: { guardrailIdentifier: 'g' } }, ctx)
  assert.equal(
    refusedField(() => writeRequest(anthropicMessages, read)),
    'dialect.cannot-express guardrailConfig',
  )
})

test('hints that are lost are reported', () => {
  const { downgrades } = writeRequest(
    bedrockConverse,
    foreign({
      tools: [{ name: 'f' }],
      parallelToolCalls: false,
      endUser: 'u',
      metadata: { a: 'ü' },
      serviceTier: 'scale',
      reasoning: { effort: 'high' },
      output: { type: 'json' },
      sampling: { topK: 1, seed: 1, temperature: 2 },
    }),
    'meta.llama3-70b-instruct-v1:0',
  )
  assert.deepEqual(downgrades.map((one) => one.field).sort(), [
    'metadata',
    'parallel_tool_calls',
    'reasoning_effort',
    'response_format',
    'seed',
    'service_tier',
    'temperature',
    'top_k',
    'user',
  ])
})
