import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CanonicalRequest, Message } from '../../../domain/canonical.ts'
import type { JsonObject } from '../../../domain/json.ts'
import { anthropicMessages } from '../anthropic-messages/index.ts'
import { plainRequest, refusedField, writeRequest } from '../dialect.contract.ts'
import { gemini } from './index.ts'

const ctx = { model: 'gemini-2.5-flash' }

const minimal = { contents: [{ role: 'user', parts: [{ text: 'Explain how AI works' }] }] }

const requests: Readonly<Record<string, JsonObject>> = {
  'a tool conversation without ids': {
    contents: [
      { role: 'model', parts: [{ functionCall: { name: 'f' } }, { functionCall: { name: 'f', args: {} } }] },
      {
        role: 'function',
        parts: [
          { functionResponse: { name: 'f', response: { error: 'broken' } } },
          {
            functionResponse: {
              name: 'f',
              response: { a: 1, b: 'x' },
              parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }],
            },
          },
          { functionResponse: { name: 'f' } },
        ],
      },
    ],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
    tools: [{ functionDeclarations: [{ name: 'f' }] }],
  },
  'a schema in OpenAPI style': {
    ...minimal,
    generationConfig: {
      responseMimeType: 'application/json',
      responseSchema: {
        type: 'ARRAY',
        items: {
          type: 'OBJECT',
          properties: { name: { type: 'STRING', nullable: true } },
          propertyOrdering: ['name'],
        },
      },
    },
  },
  'a cached prefix': { ...minimal, cachedContent: 'cachedContents/1' },
}

function foreign(change: Partial<CanonicalRequest>): CanonicalRequest {
  return { ...plainRequest, dialect: 'openai-chat', ...change }
}
function withParts(...parts: Message['parts']): CanonicalRequest {
  return foreign({ messages: [{ role: 'user', parts }] })
}

const jsonSchema = { type: 'object', properties: {}, additionalProperties: false }
const toolConversation: Partial<CanonicalRequest> = {
  maxOutputTokens: 10,
  tools: [{ name: 'f', description: 'd', parameters: jsonSchema }],
  toolChoice: { type: 'tool', name: 'f' },
  output: { type: 'json-schema', name: 'n', schema: jsonSchema },
  reasoning: { effort: 'low', visible: true },
  sampling: { topLogprobs: 2, logprobs: true, seed: 3, candidates: 2 },
  messages: [
    { role: 'system', parts: [{ type: 'text', text: 'S' }] },
    { role: 'user', parts: [{ type: 'text', text: 'q' }] },
    {
      role: 'assistant',
      parts: [
        { type: 'tool-call', id: 'a', name: 'f', arguments: '' },
        { type: 'tool-call', id: 'b', name: 'f', arguments: '{"x":1}' },
      ],
    },
    {
      role: 'tool',
      parts: [{ type: 'tool-result', callId: 'a', content: [{ type: 'text', text: '1' }] }],
    },
    {
      role: 'tool',
      parts: [{ type: 'tool-result', callId: 'b', content: [{ type: 'text', text: 'no' }], isError: true }],
    },
    { role: 'user', parts: [{ type: 'text', text: 'more' }] },
  ],
}

test('a tool conversation of another dialect is written with names, signatures and JSON schemas', () => {
  const { body, downgrades } = writeRequest(gemini, foreign(toolConversation))
  assert.deepEqual(downgrades, [])
  assert.deepEqual(body, {
    systemInstruction: { parts: [{ text: 'S' }] },
    contents: [
      { role: 'user', parts: [{ text: 'q' }] },
      {
        role: 'model',
        parts: [
          {
            functionCall: { id: 'a', name: 'f', args: {} },
            thoughtSignature: 'skip_thought_signature_validator',
          },
          { functionCall: { id: 'b', name: 'f', args: { x: 1 } } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'a', name: 'f', response: { output: '1' } } },
          { functionResponse: { id: 'b', name: 'f', response: { error: 'no' } } },
        ],
      },
      { role: 'user', parts: [{ text: 'more' }] },
    ],
    tools: [{ functionDeclarations: [{ name: 'f', description: 'd', parametersJsonSchema: jsonSchema }] }],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
    generationConfig: {
      maxOutputTokens: 10,
      candidateCount: 2,
      seed: 3,
      responseLogprobs: true,
      logprobs: 2,
      thinkingConfig: { thinkingLevel: 'LOW', includeThoughts: true },
      responseMimeType: 'application/json',
      responseJsonSchema: jsonSchema,
    },
  })
})

test('a Gemini conversation reaches Anthropic with JSON schema, ids and text results', () => {
  const canonical = gemini.readRequest(requests['a tool conversation without ids'] ?? {}, ctx)
  const { body } = writeRequest(anthropicMessages, { ...canonical, messages: canonical.messages.slice(0, 2) })
  assert.deepEqual(body['messages'], [
    {
      role: 'assistant',
      content: [
        { type: 'tool_use', id: 'call_0', name: 'f', input: {} },
        { type: 'tool_use', id: 'call_1', name: 'f', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'call_0', content: 'broken', is_error: true },
        {
          type: 'tool_result',
          tool_use_id: 'call_1',
          content: [
            { type: 'text', text: '{"a":1,"b":"x"}' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
          ],
        },
        { type: 'tool_result', tool_use_id: 'call_2' },
      ],
    },
  ])
  const schema = gemini.readRequest(requests['a schema in OpenAPI style'] ?? {}, ctx).output
  assert.deepEqual(JSON.parse(JSON.stringify(schema)), {
    type: 'json-schema',
    schema: { type: 'array', items: { type: 'object', properties: { name: { type: ['string', 'null'] } } } },
  })
})

const refused: readonly (readonly [string, CanonicalRequest])[] = [
  ['messages[0].content[0]', withParts({ type: 'image', source: { kind: 'file', fileId: 'f' } })],
  ['messages[0].content[0]', withParts({ type: 'tool-result', callId: 'x', content: [] })],
  ['messages[0].content[0]', withParts({ type: 'tool-call', id: 'x', name: 'f', arguments: '[1]' })],
  [
    'tools[1]',
    foreign({
      builtinTools: [
        { type: 'opaque', native: { dialect: 'anthropic-messages', fields: {}, at: 'tools[1]' } },
      ],
    }),
  ],
]
for (const [field, body] of refused) {
  test(`what cannot be expressed is refused by the caller's name: ${field}`, () => {
    assert.equal(
      refusedField(() => writeRequest(gemini, body)),
      `dialect.cannot-express ${field}`,
    )
  })
}

test('a cached prefix that only Gemini holds is never dropped for another provider', () => {
  const request = gemini.readRequest(requests['a cached prefix'] ?? {}, ctx)
  assert.match(
    String(refusedField(() => writeRequest(anthropicMessages, request))),
    /^dialect\.cannot-express /,
  )
})

test('hints that are lost are reported', () => {
  const { downgrades } = writeRequest(
    gemini,
    foreign({
      tools: [{ name: 'f', strict: true }],
      parallelToolCalls: false,
      endUser: 'u',
      metadata: { a: 'b' },
      serviceTier: 'flex',
      reasoning: { effort: 'xhigh' },
    }),
  )
  assert.deepEqual(downgrades.map((one) => one.field).sort(), [
    'metadata',
    'parallel_tool_calls',
    'reasoning_effort',
    'service_tier',
    'tools[0].strict',
    'user',
  ])
})
