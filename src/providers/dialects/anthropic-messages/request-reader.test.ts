import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../domain/json.ts'
import { assertRequestSurvives, refusedField } from '../dialect.contract.ts'
import { anthropicMessages } from './index.ts'

const weather = {
  name: 'get_weather',
  description: 'Weather of a place',
  input_schema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
}
const minimal = {
  model: 'claude-sonnet-4-5',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello, Claude' }],
}

/** Requests as the public documentation shows them. */
const requests: Readonly<Record<string, JsonObject>> = {
  'a plain text': minimal,
  'every sampling option': {
    ...minimal,
    temperature: 0.2,
    top_p: 0.9,
    top_k: 40,
    stop_sequences: ['###'],
    service_tier: 'standard_only',
    metadata: { user_id: 'u-1' },
    stream: true,
  },
  'shapes that mean nothing': {
    ...minimal,
    stream: false,
    tools: [],
    stop_sequences: [],
    metadata: {},
    temperature: null,
    system: [],
    output_config: { format: null },
    thinking: null,
  },
  'a cached system prompt': {
    ...minimal,
    system: [
      { type: 'text', text: 'You are a careful reader.' },
      { type: 'text', text: 'The whole book.', cache_control: { type: 'ephemeral', ttl: '1h' } },
    ],
  },
  'images and documents of every source': {
    ...minimal,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
          {
            type: 'image',
            source: { type: 'file', file_id: 'file_1' },
            cache_control: { type: 'ephemeral' },
          },
          {
            type: 'document',
            source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
            title: 'Report',
          },
          {
            type: 'document',
            source: { type: 'text', media_type: 'text/plain', data: 'grün' },
            context: 'notes',
            citations: { enabled: true },
          },
          { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'chunk' }] } },
          { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' }, title: null },
          { type: 'document', source: { type: 'file', file_id: 'file_2' } },
          {
            type: 'search_result',
            source: 'https://example.com',
            title: 'Example',
            content: [{ type: 'text', text: 'x' }],
          },
          { type: 'text', text: 'Compare them.' },
        ],
      },
    ],
  },
  'a tool conversation': {
    ...minimal,
    system: 'Be brief.',
    tools: [
      { type: 'web_search_20250305', name: 'web_search', max_uses: 5 },
      { ...weather, strict: true, cache_control: { type: 'ephemeral' } },
      { type: 'bash_20250124', name: 'bash' },
      { ...weather, name: 'get_tide', type: 'custom' },
    ],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Weather in Bergen and Oslo?' }] },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Two calls.', signature: 'c2ln' },
          { type: 'redacted_thinking', data: 'ZGF0YQ==' },
          { type: 'text', text: 'Looking.' },
          { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { place: 'Bergen' } },
          {
            type: 'tool_use',
            id: 'toolu_2',
            name: 'get_weather',
            input: { place: 'Oslo' },
            caller: { type: 'direct' },
          },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: 'rain' },
          {
            type: 'tool_result',
            tool_use_id: 'toolu_2',
            content: [
              { type: 'text', text: 'sun' },
              { type: 'image', source: { type: 'url', url: 'https://example.com/s.png' } },
            ],
            is_error: false,
          },
          { type: 'text', text: 'And tomorrow?' },
        ],
      },
      { role: 'assistant', content: 'Wait.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'before' },
          { type: 'tool_result', tool_use_id: 'toolu_3' },
        ],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_4', content: [], is_error: true }],
      },
      { role: 'user', content: 'separate' },
      { role: 'system', content: 'From now on answer in Norwegian.' },
    ],
  },
  'server tools and their results': {
    ...minimal,
    messages: [
      {
        role: 'assistant',
        content: [
          { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } },
          { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
          {
            type: 'text',
            text: 'Cited.',
            citations: [
              {
                type: 'char_location',
                cited_text: 'x',
                document_index: 0,
                start_char_index: 0,
                end_char_index: 1,
              },
            ],
          },
        ],
      },
    ],
  },
  'thinking with a budget': {
    ...minimal,
    max_tokens: 16000,
    thinking: { type: 'enabled', budget_tokens: 10000, display: 'summarized' },
  },
  'adaptive thinking with effort': {
    ...minimal,
    thinking: { type: 'adaptive' },
    output_config: { effort: 'medium' },
  },
  'disabled thinking': { ...minimal, thinking: { type: 'disabled' } },
  'effort alone': {
    ...minimal,
    output_config: { effort: 'high', task_budget: { type: 'tokens', total: 1 } },
  },
  'structured output': {
    ...minimal,
    output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
  },
  'structured output by its beta name': {
    ...minimal,
    output_format: { type: 'json_schema', schema: { type: 'object' } },
  },
  'fields that only this API has': {
    ...minimal,
    cache_control: { type: 'ephemeral' },
    container: { id: 'container_1' },
    mcp_servers: [{ type: 'url', url: 'https://example.com/sse', name: 'x' }],
    context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
    inference_geo: 'us',
  },
}

for (const [name, body] of Object.entries(requests)) {
  test(`a request with ${name} survives the canonical form`, () => {
    assertRequestSurvives(anthropicMessages, body)
  })
}

const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<never>
const cache = fc.option(fc.constantFrom({ type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }), {
  nil: undefined,
})
const textBlock = fc.record(
  { type: fc.constant('text'), text, cache_control: cache },
  { noNullPrototype: true },
)
const imageBlock = fc.record(
  {
    type: fc.constant('image'),
    source: fc.oneof(
      fc.record(
        {
          type: fc.constant('base64'),
          media_type: fc.constantFrom('image/png', 'text/plain'),
          data: fc.base64String(),
        },
        { noNullPrototype: true },
      ),
      fc.record({ type: fc.constant('url'), url: fc.webUrl() }, { noNullPrototype: true }),
      fc.record(
        { type: fc.constantFrom('file', 'new'), file_id: text, extra: fc.option(json, { nil: undefined }) },
        { noNullPrototype: true },
      ),
    ),
  },
  { noNullPrototype: true },
)
const resultBlock = fc.record(
  {
    type: fc.constant('tool_result'),
    tool_use_id: text,
    content: fc.oneof(text, fc.array(fc.oneof(textBlock, imageBlock), { maxLength: 3 })),
    is_error: fc.boolean(),
  },
  { requiredKeys: ['type', 'tool_use_id'], noNullPrototype: true },
)
const useBlock = fc.record(
  {
    type: fc.constant('tool_use'),
    id: text,
    name: text,
    input: fc.dictionary(text, json, { noNullPrototype: true }),
  },
  { noNullPrototype: true },
)
const thinkingBlock = fc.record(
  { type: fc.constantFrom('thinking'), thinking: text, signature: text },
  { requiredKeys: ['type', 'thinking'], noNullPrototype: true },
)
const opaqueBlock = fc.record(
  { type: fc.constantFrom('server_tool_use', 'novel'), content: json },
  { noNullPrototype: true },
)
const block = fc.oneof(textBlock, imageBlock, useBlock, thinkingBlock, opaqueBlock)
function messageOf(role: string, blocks: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const content = fc.oneof(text, fc.array(blocks, { maxLength: 6 }))
  return fc.record({ role: fc.constant(role), content }, { noNullPrototype: true })
}
const message = fc.oneof(messageOf('user', fc.oneof(block, resultBlock)), messageOf('assistant', block))
const request = fc.record(
  {
    model: fc.constant('claude-x'),
    max_tokens: fc.nat(),
    messages: fc.array(message, { maxLength: 6 }),
    system: fc.oneof(text, fc.array(textBlock, { maxLength: 3 })),
    temperature: fc.constantFrom(0, 0.5, 1),
    top_p: fc.constantFrom(0.1, 1),
    stream: fc.boolean(),
    stop_sequences: fc.array(text, { maxLength: 3 }),
    tool_choice: fc.constantFrom(
      { type: 'auto' },
      { type: 'none' },
      { type: 'tool', name: 'x', disable_parallel_tool_use: false },
      { type: 'any', disable_parallel_tool_use: true },
    ),
    thinking: fc.constantFrom(
      { type: 'disabled' },
      { type: 'adaptive', display: 'omitted' },
      { type: 'enabled', budget_tokens: 2000 },
    ),
    novel_field: json,
  },
  { requiredKeys: ['model', 'max_tokens', 'messages'], noNullPrototype: true },
)

test('any request survives the canonical form', () => {
  fc.assert(
    fc.property(request, (body) => assertRequestSurvives(anthropicMessages, body as unknown as JsonObject)),
    { numRuns: 500 },
  )
})

const malformed: readonly (readonly [string, JsonObject])[] = [
  ['request.missing-field model', { messages: [] }],
  ['request.missing-field messages', { model: 'm' }],
  ['request.invalid-field messages[0].role', { model: 'm', messages: [{ role: 'tool', content: '' }] }],
  ['request.invalid-field messages[0].content', { model: 'm', messages: [{ role: 'user' }] }],
  [
    'request.missing-field messages[0].content[0].type',
    { model: 'm', messages: [{ role: 'user', content: [{}] }] },
  ],
  [
    'request.missing-field messages[0].content[0].text',
    { model: 'm', messages: [{ role: 'user', content: [{ type: 'text' }] }] },
  ],
  [
    'request.invalid-field messages[0].content[0]',
    { model: 'm', messages: [{ role: 'assistant', content: [{ type: 'tool_result', tool_use_id: 'x' }] }] },
  ],
  ['request.missing-field tools[0].input_schema', { ...minimal, tools: [{ name: 'x' }] }],
  ['request.invalid-field tool_choice.type', { ...minimal, tool_choice: { type: 'maybe' } }],
  ['request.missing-field thinking.budget_tokens', { ...minimal, thinking: { type: 'enabled' } }],
  ['request.invalid-field max_tokens', { ...minimal, max_tokens: '1' }],
]
for (const [expected, body] of malformed) {
  test(`a malformed request is refused: ${expected}`, () => {
    assert.equal(
      refusedField(() => anthropicMessages.readRequest(body, {})),
      expected,
    )
  })
}
