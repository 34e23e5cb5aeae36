/** Vercel AI SDK and LangChain with their OpenAI and Anthropic providers, unmodified, over TLS. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { ChatAnthropic } from '@langchain/anthropic'
import { HumanMessage, type ToolMessage } from '@langchain/core/messages'
import { tool as langChainTool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { embedMany, generateText, jsonSchema, Output, streamText, tool } from 'ai'
import { z } from 'zod'
import { startUpstreamServer, type UpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import { type Product, startProduct } from './product.ts'
import { tlsFetch } from './tls-fetch.ts'
import { dialectModels, upstreamConfig, upstreamEnvironment } from './upstream-models.ts'

let server: UpstreamServer
let product: Product
let secureFetch: typeof fetch

before(async () => {
  server = await startUpstreamServer()
  product = await startProduct({ config: upstreamConfig(server), environment: upstreamEnvironment })
  secureFetch = tlsFetch(product.authority)
})
after(async () => {
  await product.stop()
  await server.close()
})

const providers = {
  'ai, OpenAI responses': (model: string) =>
    createOpenAI({ baseURL: `${product.https}/v1`, apiKey: product.apiKey, fetch: secureFetch }).responses(
      model,
    ),
  'ai, OpenAI chat': (model: string) =>
    createOpenAI({ baseURL: `${product.https}/v1`, apiKey: product.apiKey, fetch: secureFetch }).chat(model),
  'ai, Anthropic': (model: string) =>
    createAnthropic({ baseURL: `${product.https}/v1`, apiKey: product.apiKey, fetch: secureFetch })(model),
}

for (const model of ['via-openai', 'via-gemini']) {
  test(`embeddings of both frameworks, ${model}`, async () => {
    const own = { apiKey: product.apiKey, baseURL: `${product.https}/v1` }
    const { embeddings, usage } = await embedMany({
      model: createOpenAI({ ...own, fetch: secureFetch }).textEmbeddingModel(model),
      values: ['one', 'two'],
      maxRetries: 0,
    })
    assert.equal(embeddings.length, 2)
    assert.ok(usage.tokens > 0)
    const langChain = new OpenAIEmbeddings({
      model,
      apiKey: own.apiKey,
      maxRetries: 0,
      configuration: { baseURL: own.baseURL, fetch: secureFetch },
    })
    const vectors = await langChain.embedDocuments(['one', 'two'])
    assert.deepEqual(
      vectors.map((vector) => vector.map(Math.fround)),
      embeddings.map((vector) => vector.map(Math.fround)),
    )
  })
}

for (const [name, provide] of Object.entries(providers)) {
  for (const model of dialectModels) {
    describe(`${name}, ${model}`, () => {
      test('text is generated and streamed', async () => {
        const { text, usage } = await generateText({
          model: provide(model),
          prompt: 'sandbox: say=hello there',
          maxRetries: 0,
        })
        assert.equal(text, 'hello there')
        assert.ok((usage.inputTokens ?? 0) > 0)
        const stream = streamText({
          model: provide(model),
          prompt: 'sandbox: say=one two three',
          maxRetries: 0,
        })
        let streamed = ''
        for await (const piece of stream.textStream) streamed += piece
        assert.equal(streamed, 'one two three')
      })

      test('structured output follows the schema', async () => {
        const { output } = await generateText({
          model: provide(model),
          prompt: 'Describe Oslo.',
          output: Output.object({ schema: z.object({ city: z.string(), inhabitants: z.number() }) }),
          maxRetries: 0,
        })
        assert.deepEqual([typeof output.city, typeof output.inhabitants], ['string', 'number'])
      })

      test('tools are called', async () => {
        const { toolCalls } = await generateText({
          model: provide(model),
          prompt: 'weather in Oslo?',
          maxRetries: 0,
          toolChoice: 'required',
          tools: {
            get_weather: tool({
              description: 'Weather of a city',
              inputSchema: jsonSchema<{ city: string }>({
                type: 'object',
                properties: { city: { type: 'string' } },
                required: ['city'],
                additionalProperties: false,
              }),
            }),
          },
        })
        assert.equal(toolCalls[0]?.toolName, 'get_weather')
      })
    })
  }
}

const weather = langChainTool(({ city }: { city: string }) => `4 degrees in ${city}`, {
  name: 'get_weather',
  description: 'Weather of a city',
  schema: z.object({ city: z.string() }),
})

/** The first turn calls the tool; the second has its result. */
async function talkWithTool(chat: ChatOpenAI | ChatAnthropic): Promise<void> {
  const asked = new HumanMessage('What is the weather in Oslo?')
  const first = await chat.bindTools([weather], { tool_choice: 'any' }).invoke([asked])
  const [call] = first.tool_calls ?? []
  assert.equal(call?.name, 'get_weather')
  assert.equal(typeof call.args['city'], 'string')
  const result: ToolMessage = await weather.invoke({ ...call, type: 'tool_call' })
  const second = await chat.bindTools([weather]).invoke([asked, first, result])
  assert.ok(second.text.length > 0)
}

for (const model of dialectModels) {
  test(`LangChain with OpenAI, ${model}`, async () => {
    const chat = new ChatOpenAI({
      model,
      apiKey: product.apiKey,
      maxRetries: 0,
      configuration: { baseURL: `${product.https}/v1`, fetch: secureFetch },
    })
    assert.equal((await chat.invoke('sandbox: say=hello there')).text, 'hello there')
    let streamed = ''
    for await (const chunk of await chat.stream('sandbox: say=one two three')) streamed += chunk.text
    assert.equal(streamed, 'one two three')
    await talkWithTool(chat)
  })

  test(`LangChain with Anthropic, ${model}`, async () => {
    const chat = new ChatAnthropic({
      model,
      apiKey: product.apiKey,
      maxRetries: 0,
      maxTokens: 500,
      anthropicApiUrl: product.https,
      clientOptions: { fetch: secureFetch },
    })
    assert.equal((await chat.invoke('sandbox: say=hello there')).text, 'hello there')
    let streamed = ''
    for await (const chunk of await chat.stream('sandbox: say=one two three')) streamed += chunk.text
    assert.equal(streamed, 'one two three')
    await talkWithTool(chat)
  })
}
