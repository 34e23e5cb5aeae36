/** The official Google GenAI SDK, unmodified, over TLS, against every upstream dialect. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai'
import { startUpstreamServer, type UpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import { type Product, startProduct } from './product.ts'
import { tlsFetch } from './tls-fetch.ts'
import { dialectModels, upstreamConfig, upstreamEnvironment } from './upstream-models.ts'

let server: UpstreamServer
let product: Product
let client: GoogleGenAI
const ownFetch = globalThis.fetch

before(async () => {
  server = await startUpstreamServer()
  product = await startProduct({ config: upstreamConfig(server), environment: upstreamEnvironment })
  // This SDK takes no fetch of its own: trust the authority for the whole test process instead.
  globalThis.fetch = tlsFetch(product.authority)
  client = new GoogleGenAI({ apiKey: product.apiKey, httpOptions: { baseUrl: product.https } })
})
after(async () => {
  globalThis.fetch = ownFetch
  await product.stop()
  await server.close()
})

for (const model of dialectModels) {
  describe(`google genai SDK, ${model}`, () => {
    test('content is generated, with usage', async () => {
      const response = await client.models.generateContent({
        model,
        contents: 'sandbox: say=Grüße, 世界',
        config: { systemInstruction: 'Be brief.', temperature: 0.2 },
      })
      assert.equal(response.text, 'Grüße, 世界')
      assert.equal(response.candidates?.[0]?.finishReason, 'STOP')
      assert.ok((response.usageMetadata?.promptTokenCount ?? 0) > 0)
    })

    test('content streams', async () => {
      const stream = await client.models.generateContentStream({
        model,
        contents: 'sandbox: say=one two three four',
      })
      let text = ''
      let chunks = 0
      for await (const chunk of stream) {
        text += chunk.text ?? ''
        chunks += 1
      }
      assert.equal(text, 'one two three four')
      assert.ok(chunks > 1)
    })

    test('functions are called', async () => {
      const response = await client.models.generateContent({
        model,
        contents: 'What is the weather in Oslo?',
        config: {
          tools: [
            {
              functionDeclarations: [
                {
                  name: 'get_weather',
                  description: 'Weather of a city',
                  parameters: {
                    type: Type.OBJECT,
                    properties: { city: { type: Type.STRING } },
                    required: ['city'],
                  },
                },
              ],
            },
          ],
          toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
        },
      })
      assert.equal(response.functionCalls?.[0]?.name, 'get_weather')
      assert.equal(typeof response.functionCalls?.[0]?.args?.['city'], 'string')
    })
  })
}

const shape = {
  type: Type.OBJECT,
  properties: { city: { type: Type.STRING }, inhabitants: { type: Type.INTEGER } },
  required: ['city', 'inhabitants'],
  propertyOrdering: ['city', 'inhabitants'],
}

for (const model of dialectModels) {
  describe(`google genai SDK, more of ${model}`, () => {
    test('structured output follows the schema', async () => {
      const response = await client.models.generateContent({
        model,
        contents: 'Describe Oslo.',
        config: { responseMimeType: 'application/json', responseSchema: shape },
      })
      const told = JSON.parse(response.text ?? '')
      assert.deepEqual([typeof told.city, typeof told.inhabitants], ['string', 'number'])
    })

    test('results of functions are answered', async () => {
      const response = await client.models.generateContent({
        model,
        contents: [
          { role: 'user', parts: [{ text: 'What is the weather in Oslo?' }] },
          { role: 'model', parts: [{ functionCall: { name: 'get_weather', args: { city: 'Oslo' } } }] },
          { role: 'user', parts: [{ functionResponse: { name: 'get_weather', response: { celsius: 4 } } }] },
        ],
        config: { tools: [{ functionDeclarations: [{ name: 'get_weather', description: 'Weather' }] }] },
      })
      assert.ok((response.text ?? '').length > 0)
      const sent = server.requests.at(-1)?.body.toString() ?? ''
      assert.match(sent, /celsius/)
    })

    test('an aborted stream aborts the upstream', async () => {
      const seen = server.requests.length
      const ended = new AbortController()
      const stream = await client.models.generateContentStream({
        model,
        contents: 'sandbox: chunk-delay=40ms\nsandbox: tokens=400',
        config: { abortSignal: ended.signal },
      })
      await assert.rejects(async () => {
        for await (const _ of stream) ended.abort()
      }, /abort/i)
      await server.until(() => server.requests[seen]?.disconnected === true, 5000)
    })
  })
}

test('errors carry the status', async () => {
  await assert.rejects(
    client.models.generateContent({ model: 'no-such-model', contents: 'x' }),
    (error: unknown) => (error as { status?: number }).status === 404,
  )
})
