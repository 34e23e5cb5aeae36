import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../domain/json.ts'
import { assertRequestSurvives, refusedField } from '../dialect.contract.ts'
import { bedrockConverse } from './index.ts'

const ctx = { model: 'anthropic.claude-sonnet-4-5-20250929-v1:0' }
const minimal = {
  messages: [{ role: 'user', content: [{ text: 'Write an article about impact of high inflation.' }] }],
}
const toolSpec = {
  name: 'top_song',
  description: 'Get the most popular song.',
  inputSchema: { json: { type: 'object', properties: { sign: { type: 'string' } }, required: ['sign'] } },
}

/** Requests as the public documentation shows them. */
const requests: Readonly<Record<string, JsonObject>> = {
  'a plain text': minimal,
  'every option': {
    ...minimal,
    system: [
      { text: 'You are an economist.' },
      { cachePoint: { type: 'default' } },
      { guardContent: { text: { text: 'x' } } },
    ],
    inferenceConfig: { maxTokens: 1000, temperature: 0.5, topP: 0.9, stopSequences: ['###'] },
    additionalModelRequestFields: {
      top_k: 200,
      thinking: { type: 'enabled', budget_tokens: 2000 },
      anthropic_beta: ['x'],
    },
    additionalModelResponseFieldPaths: ['/stop_sequence'],
    guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1', trace: 'enabled' },
    performanceConfig: { latency: 'optimized' },
    promptVariables: { a: { text: 'b' } },
    requestMetadata: { team: 'a' },
    serviceTier: { type: 'flex' },
    outputConfig: {
      textFormat: {
        type: 'json_schema',
        structure: { jsonSchema: { schema: '{ "type": "object" }', name: 'n', description: 'd' } },
      },
    },
  },
  'shapes that mean nothing': {
    ...minimal,
    system: [],
    inferenceConfig: { stopSequences: [], temperature: null },
    toolConfig: { tools: [] },
    additionalModelRequestFields: {},
    serviceTier: null,
  },
  'thinking that other APIs have no word for': {
    ...minimal,
    additionalModelRequestFields: { thinking: { type: 'adaptive' }, top_k: 1.5, reasoning_config: {} },
  },
  'media of every source': {
    messages: [
      {
        role: 'user',
        content: [
          { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } },
          { image: { format: 'jpeg', source: { s3Location: { uri: 's3://b/a.jpg' } } } },
          { image: { format: 'webp', source: { s3Location: { uri: 's3://b/a.webp', bucketOwner: '1' } } } },
          { image: { format: 'novel', source: { bytes: 'AA==' } } },
          {
            document: {
              format: 'pdf',
              name: 'Report',
              source: { bytes: 'JVBERi0=' },
              citations: { enabled: true },
            },
          },
          { document: { format: 'txt', name: 'Notes', source: { text: 'grün' }, context: 'c' } },
          { document: { format: 'md', name: 'Parts', source: { content: [{ text: 'x' }] } } },
          { video: { format: 'three_gp', source: { bytes: 'AA==' } } },
          { audio: { format: 'mp3', source: { bytes: 'AA==' } } },
          { cachePoint: { type: 'default', ttl: '1h' } },
          { cachePoint: { type: 'default' } },
          { guardContent: { text: { text: 'x', qualifiers: ['query'] } } },
          { searchResult: { source: 's', title: 't', content: [{ text: 'x' }] } },
          { text: 'Compare.' },
          { cachePoint: { type: 'default' } },
        ],
      },
    ],
  },
  'a tool conversation': {
    messages: [
      { role: 'user', content: [{ text: 'Song?' }] },
      {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'hm', signature: 'c2ln' } } },
          { reasoningContent: { redactedContent: 'ZA==' } },
          { text: 'Looking.' },
          { toolUse: { toolUseId: 't1', name: 'top_song', input: { sign: 'WZPZ' } } },
          { toolUse: { toolUseId: 't2', name: 'top_song', input: {}, type: 'server_tool_use' } },
        ],
      },
      {
        role: 'user',
        content: [
          {
            toolResult: {
              toolUseId: 't1',
              content: [{ json: { song: 'Elemental Hotel' } }],
              status: 'success',
            },
          },
          {
            toolResult: {
              toolUseId: 't2',
              content: [
                { text: 'no' },
                { image: { format: 'png', source: { bytes: 'AA==' } } },
                { searchResult: {} },
              ],
              status: 'error',
            },
          },
          { toolResult: { toolUseId: 't3', content: [] } },
          { cachePoint: { type: 'default' } },
          { text: 'And?' },
        ],
      },
      { role: 'assistant', content: [{ citationsContent: { content: [{ text: 'x' }], citations: [] } }] },
    ],
    toolConfig: {
      tools: [
        { systemTool: { name: 'nova_grounding' } },
        { toolSpec },
        { cachePoint: { type: 'default' } },
        { toolSpec: { ...toolSpec, name: 'other', strict: true } },
        { cachePoint: { type: 'default' } },
        { cachePoint: { type: 'default' } },
      ],
      toolChoice: { tool: { name: 'top_song' } },
    },
  },
}

for (const [name, body] of Object.entries(requests)) {
  test(`a request with ${name} survives the canonical form`, () => {
    assertRequestSurvives(bedrockConverse, body, ctx)
  })
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<never>
const object = fc.dictionary(text, json, { maxKeys: 3, noNullPrototype: true })
const plain = { noNullPrototype: true } as const
function member(name: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.record({ [name]: value }, plain)
}
const textBlock = member('text', text)
const imageBlock = member(
  'image',
  fc.record(
    {
      format: fc.constantFrom('png', 'gif', 'novel'),
      source: fc.oneof(member('bytes', fc.base64String()), object),
    },
    plain,
  ),
)
const documentBlock = member(
  'document',
  fc.record(
    {
      format: fc.constantFrom('pdf', 'txt'),
      name: text,
      source: fc.oneof(member('bytes', fc.base64String()), textBlock),
    },
    plain,
  ),
)
const useBlock = member('toolUse', fc.record({ toolUseId: text, name: text, input: json }, plain))
const resultBlock = member(
  'toolResult',
  fc.record(
    {
      toolUseId: text,
      content: fc.array(fc.oneof(textBlock, member('json', object), imageBlock), { maxLength: 3 }),
      status: fc.constantFrom('success', 'error', 'novel'),
    },
    { requiredKeys: ['toolUseId', 'content'], ...plain },
  ),
)
const reasoningBlock = member(
  'reasoningContent',
  fc.oneof(
    member('redactedContent', fc.base64String()),
    member('reasoningText', fc.record({ text, signature: text }, { requiredKeys: ['text'], ...plain })),
  ),
)
const otherBlock = fc.oneof(
  member('cachePoint', fc.constant({ type: 'default' })),
  member('novel', json),
  fc.constant({}),
)
const block = fc.oneof(textBlock, imageBlock, documentBlock, otherBlock)
const message = fc.oneof(
  fc.record(
    { role: fc.constant('user'), content: fc.array(fc.oneof(block, resultBlock), { maxLength: 5 }) },
    plain,
  ),
  fc.record(
    {
      role: fc.constant('assistant'),
      content: fc.array(fc.oneof(block, useBlock, reasoningBlock), { maxLength: 5 }),
    },
    plain,
  ),
)
const request = fc.record(
  {
    messages: fc.array(message, { maxLength: 5 }),
    system: fc.array(fc.oneof(textBlock, otherBlock), { maxLength: 3 }),
    inferenceConfig: fc.record(
      { maxTokens: fc.nat(), temperature: fc.constantFrom(0, 1), novel: json },
      { requiredKeys: [], ...plain },
    ),
    toolConfig: fc.record(
      {
        toolChoice: fc.constantFrom({ auto: {} }, { any: {} }, { tool: { name: 'x' } }),
        tools: fc.array(
          fc.constantFrom({ toolSpec }, { cachePoint: { type: 'default' } }, { systemTool: { name: 'x' } }),
          { maxLength: 4 },
        ),
      },
      { requiredKeys: [], ...plain },
    ),
    additionalModelRequestFields: object,
    novelField: json,
  },
  { requiredKeys: ['messages'], ...plain },
)

test('any request survives the canonical form', () => {
  fc.assert(
    fc.property(request, (body) =>
      assertRequestSurvives(bedrockConverse, body as unknown as JsonObject, ctx),
    ),
    { numRuns: 500 },
  )
})

const malformed: readonly (readonly [string, JsonObject])[] = [
  ['request.missing-field messages', {}],
  ['request.invalid-field messages[0].role', { messages: [{ role: 'system', content: [] }] }],
  ['request.missing-field messages[0].content', { messages: [{ role: 'user' }] }],
  [
    'request.missing-field messages[0].content[0].toolUse.input',
    { messages: [{ role: 'assistant', content: [{ toolUse: { toolUseId: 'x', name: 'f' } }] }] },
  ],
  [
    'request.invalid-field messages[0].content[0]',
    { messages: [{ role: 'assistant', content: [{ toolResult: { toolUseId: 'x', content: [] } }] }] },
  ],
  [
    'request.missing-field toolConfig.tools[0].toolSpec.inputSchema',
    { messages: [], toolConfig: { tools: [{ toolSpec: { name: 'x' } }] } },
  ],
  ['request.invalid-field toolConfig.toolChoice', { messages: [], toolConfig: { toolChoice: {} } }],
  [
    'request.invalid-field outputConfig.textFormat.structure.jsonSchema.schema',
    {
      messages: [],
      outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { schema: '{' } } } },
    },
  ],
]
for (const [expected, body] of malformed) {
  test(`a malformed request is refused: ${expected}`, () => {
    assert.equal(
      refusedField(() => bedrockConverse.readRequest(body, ctx)),
      expected,
    )
  })
}
