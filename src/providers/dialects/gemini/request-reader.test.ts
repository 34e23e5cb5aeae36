import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../domain/json.ts'
import { assertRequestSurvives, refusedField, writeRequest } from '../dialect.contract.ts'
import { gemini } from './index.ts'

const ctx = { model: 'gemini-2.5-flash' }
const minimal = { contents: [{ role: 'user', parts: [{ text: 'Explain how AI works' }] }] }

/** Requests as the public documentation shows them. */
const requests: Readonly<Record<string, JsonObject>> = {
  'a plain text': minimal,
  'a content without a role': { contents: [{ parts: [{ text: 'hi' }] }] },
  'every generation option': {
    ...minimal,
    systemInstruction: { role: 'user', parts: [{ text: 'You are a cat.' }] },
    generationConfig: {
      temperature: 1.5,
      topP: 0.8,
      topK: 10,
      candidateCount: 2,
      maxOutputTokens: 800,
      stopSequences: ['Title'],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: -0.2,
      responseLogprobs: true,
      logprobs: 3,
      mediaResolution: 'MEDIA_RESOLUTION_LOW',
      responseModalities: ['TEXT'],
      speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
      thinkingConfig: { thinkingBudget: 1024, includeThoughts: true },
    },
    safetySettings: [{ category: 'HARM_CATEGORY_HATE_SPEECH', threshold: 'BLOCK_LOW_AND_ABOVE' }],
    cachedContent: 'cachedContents/1',
    labels: { team: 'a' },
  },
  'shapes that mean nothing': {
    ...minimal,
    tools: [],
    toolConfig: {},
    generationConfig: { stopSequences: [], temperature: null, thinkingConfig: {} },
    cachedContent: null,
  },
  'an empty generationConfig': { ...minimal, generationConfig: {} },
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
  'a JSON schema': {
    ...minimal,
    generationConfig: { responseMimeType: 'application/json', responseJsonSchema: { type: 'object' } },
  },
  'JSON without a schema': { ...minimal, generationConfig: { responseMimeType: 'application/json' } },
  'plain text asked for': { ...minimal, generationConfig: { responseMimeType: 'text/plain' } },
  'an enum': {
    ...minimal,
    generationConfig: { responseMimeType: 'text/x.enum', responseSchema: { type: 'STRING', enum: ['a'] } },
  },
  'a thinking level': { ...minimal, generationConfig: { thinkingConfig: { thinkingLevel: 'low' } } },
  'dynamic thinking': { ...minimal, generationConfig: { thinkingConfig: { thinkingBudget: -1 } } },
  'no thinking': {
    ...minimal,
    generationConfig: { thinkingConfig: { thinkingBudget: 0, includeThoughts: false } },
  },
  'media of every source': {
    contents: [
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
          {
            inlineData: { mimeType: 'application/pdf', data: 'JVBERi0=', displayName: 'r.pdf' },
            mediaResolution: { level: 'LOW' },
          },
          { inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } },
          {
            fileData: {
              mimeType: 'video/mp4',
              fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/1',
            },
            videoMetadata: { fps: 1 },
          },
          { fileData: { fileUri: 'https://www.youtube.com/watch?v=1' } },
          { fileData: { mimeType: 'image/jpeg', fileUri: 'gs://bucket/a.jpg' } },
          {},
        ],
      },
    ],
  },
  'a tool conversation with ids': {
    contents: [
      { role: 'user', parts: [{ text: 'Weather?' }] },
      {
        role: 'model',
        parts: [
          { text: 'hm', thought: true, thoughtSignature: 'c2ln' },
          { text: 'Looking.', thoughtSignature: 'c2lnMg==' },
          {
            functionCall: { id: 'f1', name: 'get_weather', args: { place: 'Bergen' } },
            thoughtSignature: 'c2lnMw==',
          },
          { executableCode: { language: 'PYTHON', code: 'print(1)' } },
          { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
        ],
      },
      {
        role: 'user',
        parts: [
          {
            functionResponse: {
              id: 'f1',
              name: 'get_weather',
              response: { output: 'rain' },
              scheduling: 'WHEN_IDLE',
            },
          },
          { text: 'and?' },
        ],
      },
      { role: 'user', parts: [{ text: 'more' }] },
    ],
    tools: [
      { googleSearch: {} },
      {
        functionDeclarations: [
          {
            name: 'get_weather',
            description: 'Weather',
            parameters: { type: 'OBJECT', properties: { place: { type: 'STRING' } } },
          },
          { name: 'get_tide', parametersJsonSchema: { type: 'object' }, behavior: 'BLOCKING' },
          { name: 'now' },
        ],
        codeExecution: {},
      },
      { functionDeclarations: [{ name: 'other' }] },
    ],
    toolConfig: {
      functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['get_weather', 'now'] },
      retrievalConfig: { languageCode: 'en' },
    },
  },
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
  'validated calls': {
    ...minimal,
    tools: [{ functionDeclarations: [{ name: 'f' }] }],
    toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } },
  },
}

for (const [name, body] of Object.entries(requests)) {
  test(`a request with ${name} survives the canonical form`, () => {
    assertRequestSurvives(gemini, body, ctx)
  })
}

test('snake_case fields mean the same as camelCase ones', () => {
  const snake = {
    contents: [
      {
        role: 'user',
        parts: [
          { inline_data: { mime_type: 'image/png', data: 'AA==' } },
          { function_response: { name: 'f', response: { some_key: 1 } } },
        ],
      },
    ],
    system_instruction: { parts: [{ text: 'S' }] },
    generation_config: {
      max_output_tokens: 5,
      thinking_config: { thinking_budget: 9 },
      stop_sequences: ['x'],
    },
    tool_config: { function_calling_config: { mode: 'NONE' } },
    tools: [
      { function_declarations: [{ name: 'f', parameters_json_schema: { type: 'object', snake_name: 1 } }] },
    ],
  }
  const { body } = writeRequest(gemini, gemini.readRequest(snake, ctx))
  assert.deepEqual(body, {
    contents: [
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: 'AA==' } },
          { functionResponse: { name: 'f', response: { some_key: 1 } } },
        ],
      },
    ],
    systemInstruction: { parts: [{ text: 'S' }] },
    generationConfig: { maxOutputTokens: 5, thinkingConfig: { thinkingBudget: 9 }, stopSequences: ['x'] },
    toolConfig: { functionCallingConfig: { mode: 'NONE' } },
    tools: [
      { functionDeclarations: [{ name: 'f', parametersJsonSchema: { type: 'object', snake_name: 1 } }] },
    ],
  })
})

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<never>
const object = fc.dictionary(text, json, { maxKeys: 3, noNullPrototype: true })
const plain = { noNullPrototype: true } as const
const textPart = fc.record(
  { text, thought: fc.boolean(), thoughtSignature: text },
  { requiredKeys: ['text'], ...plain },
)
const mediaPart = fc.record(
  {
    inlineData: fc.record(
      {
        mimeType: fc.constantFrom('image/png', 'audio/wav', 'video/mp4', 'application/pdf', ''),
        data: fc.base64String(),
      },
      plain,
    ),
  },
  plain,
)
const callPart = fc.record(
  {
    functionCall: fc.record(
      { id: text, name: fc.constantFrom('f', 'g'), args: object },
      { requiredKeys: ['name'], ...plain },
    ),
  },
  plain,
)
const resultPart = fc.record(
  {
    functionResponse: fc.record(
      {
        id: text,
        name: fc.constantFrom('f', 'g'),
        response: fc.oneof(object, fc.record({ output: text }, plain), fc.record({ error: text }, plain)),
      },
      { requiredKeys: ['name'], ...plain },
    ),
  },
  plain,
)
const opaquePart = fc.record({ executableCode: object }, plain)
const content = fc.oneof(
  fc.record(
    {
      role: fc.constantFrom('user', 'function'),
      parts: fc.array(fc.oneof(textPart, mediaPart, resultPart), { maxLength: 5 }),
    },
    { requiredKeys: ['parts'], ...plain },
  ),
  fc.record(
    {
      role: fc.constant('model'),
      parts: fc.array(fc.oneof(textPart, callPart, opaquePart), { maxLength: 5 }),
    },
    plain,
  ),
)
const request = fc.record(
  {
    contents: fc.array(content, { maxLength: 5 }),
    systemInstruction: fc.record({ parts: fc.array(fc.record({ text }, plain), { maxLength: 2 }) }, plain),
    generationConfig: fc.record(
      {
        temperature: fc.constantFrom(0, 1, 2),
        maxOutputTokens: fc.nat(),
        stopSequences: fc.array(text, { maxLength: 2 }),
        thinkingConfig: fc.record(
          { thinkingBudget: fc.integer({ min: -1, max: 9 }), includeThoughts: fc.boolean() },
          { requiredKeys: [], ...plain },
        ),
        novel: json,
      },
      { requiredKeys: [], ...plain },
    ),
    toolConfig: fc.record(
      {
        functionCallingConfig: fc.record(
          {
            mode: fc.constantFrom('AUTO', 'ANY', 'NONE', 'VALIDATED'),
            allowedFunctionNames: fc.array(text, { maxLength: 2 }),
          },
          { requiredKeys: [], ...plain },
        ),
      },
      plain,
    ),
    novelField: json,
  },
  { requiredKeys: ['contents'], ...plain },
)

test('any request survives the canonical form', () => {
  fc.assert(
    fc.property(request, (body) => assertRequestSurvives(gemini, body as unknown as JsonObject, ctx)),
    { numRuns: 500 },
  )
})

const malformed: readonly (readonly [string, JsonObject])[] = [
  ['request.missing-field contents', {}],
  ['request.invalid-field contents[0].role', { contents: [{ role: 'system', parts: [] }] }],
  [
    'request.missing-field contents[0].parts[0].functionCall.name',
    { contents: [{ role: 'model', parts: [{ functionCall: {} }] }] },
  ],
  [
    'request.invalid-field contents[0].parts[0]',
    { contents: [{ role: 'model', parts: [{ functionResponse: { name: 'f' } }] }] },
  ],
  ['request.invalid-field generation_config', { contents: [], generation_config: {}, generationConfig: {} }],
  [
    'request.invalid-field generationConfig.temperature',
    { contents: [], generationConfig: { temperature: '1' } },
  ],
  [
    'request.missing-field generationConfig.responseMimeType',
    { contents: [], generationConfig: { responseSchema: {} } },
  ],
]
for (const [expected, body] of malformed) {
  test(`a malformed request is refused: ${expected}`, () => {
    assert.equal(
      refusedField(() => gemini.readRequest(body, ctx)),
      expected,
    )
  })
}

test('calls and responses without ids find each other by name and order', () => {
  const { messages } = gemini.readRequest(
    {
      contents: [
        { role: 'model', parts: ['f', 'g', 'f'].map((name) => ({ functionCall: { name } })) },
        {
          role: 'user',
          parts: ['f', 'f', 'g'].map((name) => ({ functionResponse: { name, response: {} } })),
        },
      ],
    },
    ctx,
  )
  const ids = messages.map((message) =>
    message.parts.map((part) =>
      part.type === 'tool-call' ? part.id : part.type === 'tool-result' ? part.callId : '',
    ),
  )
  assert.deepEqual(ids, [
    ['call_0', 'call_1', 'call_2'],
    ['call_0', 'call_2', 'call_1'],
  ])
})
