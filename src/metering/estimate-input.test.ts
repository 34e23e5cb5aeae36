import assert from 'node:assert/strict'
import test, { before } from 'node:test'
import type { JsonObject } from '../domain/json.ts'
import { sampleTexts } from './harness/sample-texts.ts'
import { estimateInput, estimateTokens, loadTokenizer, type MeteredModel } from './index.ts'

const gpt4o: MeteredModel = { provider: 'openai', model: 'gpt-4o' }
const claude: MeteredModel = { provider: 'anthropic', model: 'claude-sonnet-4-5' }
const gemini: MeteredModel = { provider: 'gemini', model: 'gemini-3-pro' }

before(() => loadTokenizer(gpt4o))

function tokensOf(json: JsonObject, model: MeteredModel = gpt4o): number {
  return estimateInput({ json, bytes: JSON.stringify(json).length }, model)
}

test('a chat takes what OpenAI says that it takes', () => {
  // The example of OpenAI's cookbook for counting tokens; the service counts 124 for gpt-4o.
  const jargon =
    'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.'
  const example = (name: string, content: string) => ({ role: 'system', name, content })
  const messages = [
    { role: 'system', content: jargon },
    example('example_user', 'New synergies will help drive top-line growth.'),
    example('example_assistant', 'Things working well together will increase revenue.'),
    example(
      'example_user',
      "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    ),
    example('example_assistant', "Let's talk later when we're less busy about how to do better."),
    {
      role: 'user',
      content: "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
  ]
  const estimated = tokensOf({ model: 'gpt-4o', messages })
  assert.ok(Math.abs(estimated - 124) <= 4, `${estimated} tokens`)
})

test('one conversation takes as much in each dialect', () => {
  const { prose, code } = sampleTexts
  const user = { role: 'user', content: code }
  const bodies: Record<string, JsonObject> = {
    chat: { messages: [{ role: 'system', content: prose }, user] },
    'chat in parts': {
      messages: [
        { role: 'system', content: prose },
        { role: 'user', content: [{ type: 'text', text: code }] },
      ],
    },
    responses: { instructions: prose, input: [user] },
    'responses of text': { instructions: prose, input: code },
    messages: {
      system: [{ type: 'text', text: prose, cache_control: { type: 'ephemeral' } }],
      messages: [user],
    },
    gemini: {
      systemInstruction: { parts: [{ text: prose }] },
      contents: [{ role: 'user', parts: [{ text: code }] }],
    },
  }
  for (const [name, body] of Object.entries(bodies)) assert.equal(tokensOf(body), 146 + 226 + 2 * 4 + 3, name)
})

test('what is no prompt costs nothing', () => {
  const messages = [{ role: 'user', content: 'hello' }]
  const noise = sampleTexts.prose
  assert.equal(
    tokensOf({ messages, user: noise, metadata: { note: noise }, stop: [noise] }),
    tokensOf({ messages }),
  )
})

test('calls of tools and their results count in each dialect', () => {
  const args = { city: 'Reykjavik', days: 5, units: ['metric', 'celsius'] }
  const text = JSON.stringify(args)
  const result = sampleTexts.json
  const bodies: JsonObject[] = [
    {
      messages: [
        {
          role: 'assistant',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'forecast', arguments: text } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: result },
      ],
    },
    {
      messages: [
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'forecast', input: args }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: result }] },
      ],
    },
    {
      input: [
        { type: 'function_call', call_id: 'call_1', name: 'forecast', arguments: text },
        { type: 'function_call_output', call_id: 'call_1', output: result },
      ],
    },
    {
      contents: [
        { role: 'model', parts: [{ functionCall: { name: 'forecast', args } }] },
        { role: 'user', parts: [{ functionResponse: { name: '', response: { output: result } } }] },
      ],
    },
  ]
  const least = estimateTokens(text, gpt4o) + estimateTokens(result, gpt4o)
  for (const body of bodies) {
    const tokens = tokensOf(body)
    assert.ok(
      tokens >= least && tokens <= least * 1.3 + 20,
      `${tokens} for ${least} in ${JSON.stringify(body).slice(0, 60)}`,
    )
  }
})

test('tools and output schemas count', () => {
  const parameters = {
    type: 'object',
    properties: {
      location: { type: 'string', description: 'The city and state' },
      unit: { type: 'string', enum: ['c', 'f'] },
    },
    required: ['location'],
  }
  const messages = [{ role: 'user', content: 'hello' }]
  const without = tokensOf({ messages })
  const tools = [
    { type: 'function', function: { name: 'get_weather', description: 'Get the weather', parameters } },
  ]
  const schema = { type: 'json_schema', json_schema: { name: 'answer', schema: parameters } }
  // OpenAI's rewriting of this tool, counted by the reference, is some 50 tokens.
  const added = tokensOf({ messages, tools }) - without
  assert.ok(added > 40 && added < 80, `${added} tokens`)
  assert.ok(tokensOf({ messages, response_format: schema }) > without + 30)
  assert.ok(tokensOf({ messages, text: { format: schema } }) > without + 30)
  assert.ok(tokensOf({ contents: [], generationConfig: { responseSchema: parameters } }) > 30)
  const forClaude = tokensOf({ messages, tools }, claude) - tokensOf({ messages }, claude)
  assert.ok(forClaude > 346, 'Anthropic adds a system prompt for tools')
})

test('pictures go by the provider’s rule of thumb, not by the size of their base64', () => {
  const data = 'A'.repeat(400_000)
  const url = `data:image/png;base64,${data}`
  const image = (part: JsonObject) => tokensOf({ messages: [{ role: 'user', content: [part] }] })
  const bare = tokensOf({ messages: [{ role: 'user', content: [] }] })
  assert.equal(image({ type: 'image_url', image_url: { url } }) - bare, 765)
  assert.equal(image({ type: 'image_url', image_url: { url, detail: 'low' } }) - bare, 85)
  assert.equal(image({ type: 'input_image', image_url: url, detail: 'low' }) - bare, 85)
  const source = { type: 'base64', media_type: 'image/png', data }
  const forClaude = tokensOf({ messages: [{ role: 'user', content: [{ type: 'image', source }] }] }, claude)
  assert.ok(forClaude > 1600 && forClaude < 1700)
  const inlineData = { mimeType: 'image/png', data }
  const forGemini = tokensOf({ contents: [{ parts: [{ inlineData }] }] }, gemini)
  assert.ok(forGemini > 1120 && forGemini < 1200)
})

test('sound, film and documents go by their bytes; what is only named, by an assumption', () => {
  const part = (content: JsonObject, model = gemini) => tokensOf({ contents: [{ parts: [content] }] }, model)
  const minute = 'A'.repeat((60 * 16_000 * 4) / 3)
  assert.ok(Math.abs(part({ inlineData: { mimeType: 'audio/mp3', data: minute } }) - 60 * 32) < 20)
  const pdf = (bytes: number) => ({
    inlineData: { mimeType: 'application/pdf', data: 'A'.repeat((bytes * 4) / 3) },
  })
  assert.ok(part(pdf(600_000)) > part(pdf(300_000)))
  assert.ok(part({ fileData: { mimeType: 'video/mp4', fileUri: 'gs://a/b' } }) > 1000)
  const text = {
    type: 'document',
    source: { type: 'text', media_type: 'text/plain', data: sampleTexts.prose },
  }
  const document = tokensOf({ messages: [{ role: 'user', content: [text] }] }, claude)
  assert.ok(document > 140 && document < 220, 'a document that is given as text counts as text')
})

test('embeddings: texts, lists of texts, and tokens that the caller made', () => {
  const model = { provider: 'openai', model: 'text-embedding-3-small' }
  const tokens = (input: JsonObject[string]) => tokensOf({ input }, model)
  assert.ok(tokens('hello world') < tokens(['hello world', 'hello world']))
  assert.ok(
    tokens([
      [1, 2, 3],
      [4, 5],
    ]) >= 5,
  )
  assert.ok(tokens(Array.from({ length: 8000 }, (_, at) => at)) >= 8000)
})

test('a body that is no JSON goes by its size', () => {
  assert.equal(estimateInput({ json: null, bytes: 4000 }, gpt4o), 1000)
  assert.equal(estimateInput({ json: null, bytes: 0 }, gpt4o), 0)
})

test('a body of a megabyte does not hold the event loop', () => {
  const shapes: Record<string, JsonObject> = {
    'one text': { messages: [{ role: 'user', content: sampleTexts.chinese.repeat(6000) }] },
    'many messages': {
      messages: Array.from({ length: 20_000 }, () => ({ role: 'user', content: 'How are you today?' })),
    },
    'deep parts': {
      contents: [
        { parts: Array.from({ length: 20_000 }, (_, at) => ({ functionCall: { name: 'f', args: { at } } })) },
      ],
    },
  }
  for (const [name, body] of Object.entries(shapes)) {
    const begun = performance.now()
    assert.ok(tokensOf(body) > 100_000, name)
    // 5 to 15 ms on a quiet machine, less than parsing the body took.
    assert.ok(performance.now() - begun < 300, name)
  }
})
