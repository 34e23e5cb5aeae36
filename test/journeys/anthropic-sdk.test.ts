/** The official Anthropic SDK, unmodified, over TLS, against every upstream dialect. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { startUpstreamServer, type UpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import { type Product, startProduct } from './product.ts'
import { tlsFetch } from './tls-fetch.ts'
import { dialectModels, upstreamConfig, upstreamEnvironment } from './upstream-models.ts'

let server: UpstreamServer
let product: Product
let client: Anthropic

before(async () => {
  server = await startUpstreamServer()
  product = await startProduct({ config: upstreamConfig(server), environment: upstreamEnvironment })
  client = new Anthropic({
    baseURL: product.https,
    apiKey: product.apiKey,
    fetch: tlsFetch(product.authority),
    maxRetries: 0,
  })
})
after(async () => {
  await product.stop()
  await server.close()
})

const tools: Anthropic.Tool[] = [
  {
    name: 'get_weather',
    description: 'Weather of a city',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
]

for (const model of dialectModels) {
  describe(`anthropic SDK, ${model}`, () => {
    test('messages answer, with usage', async () => {
      const message = await client.messages.create({
        model,
        max_tokens: 200,
        system: 'Be brief.',
        messages: [{ role: 'user', content: 'sandbox: say=Grüße, 世界' }],
      })
      const [block] = message.content
      assert.ok(block?.type === 'text')
      assert.equal(block.text, 'Grüße, 世界')
      assert.equal(message.stop_reason, 'end_turn')
      assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0)
      assert.match(message._request_id ?? '', /^req_/)
    })

    test('a stream has the events in the order that the SDK demands', async () => {
      const stream = client.messages.stream({
        model,
        max_tokens: 200,
        messages: [{ role: 'user', content: 'sandbox: say=one two three four' }],
      })
      const types: string[] = []
      for await (const event of stream) types.push(event.type)
      assert.equal(types[0], 'message_start')
      assert.deepEqual(types.slice(-2), ['message_delta', 'message_stop'])
      const message = await stream.finalMessage()
      const [block] = message.content
      assert.ok(block?.type === 'text')
      assert.equal(block.text, 'one two three four')
      assert.ok(message.usage.output_tokens > 0)
    })

    test('tools are called and their results answered, on streams too', async () => {
      const question: Anthropic.MessageParam = { role: 'user', content: 'What is the weather in Oslo?' }
      const stream = client.messages.stream({
        model,
        max_tokens: 300,
        tools,
        tool_choice: { type: 'any' },
        messages: [question],
      })
      const first = await stream.finalMessage()
      assert.equal(first.stop_reason, 'tool_use')
      const call = first.content.find((block) => block.type === 'tool_use')
      assert.ok(call !== undefined)
      assert.equal(call.name, 'get_weather')
      assert.equal(typeof (call.input as { city: unknown }).city, 'string')
      const second = await client.messages.create({
        model,
        max_tokens: 300,
        tools,
        messages: [
          question,
          { role: 'assistant', content: first.content },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: call.id, content: '{"celsius":7}' }],
          },
        ],
      })
      const text = second.content.find((block) => block.type === 'text')
      assert.match(text?.text ?? '', /7/)
    })

    test('tokens are counted', async () => {
      const count = await client.messages.countTokens({
        model,
        messages: [{ role: 'user', content: 'How many?' }],
      })
      assert.ok(count.input_tokens > 0)
    })

    test('an aborted stream aborts the upstream', async () => {
      const seen = server.requests.length
      const stream = client.messages.stream({
        model,
        max_tokens: 4000,
        messages: [{ role: 'user', content: 'sandbox: chunk-delay=40ms\nsandbox: tokens=400' }],
      })
      await assert.rejects(async () => {
        for await (const event of stream) if (event.type === 'content_block_delta') stream.abort()
      }, Anthropic.APIUserAbortError)
      await server.until(() => server.requests[seen]?.disconnected === true, 5000)
    })
  })
}

test('errors arrive as the SDK classes', async () => {
  const ask = (model: string, content: string) =>
    client.messages.create({ model, max_tokens: 100, messages: [{ role: 'user', content }] })
  await assert.rejects(ask('no-such-model', 'x'), Anthropic.NotFoundError)
  await assert.rejects(ask('via-chat', 'sandbox: fail=429'), Anthropic.RateLimitError)
  await assert.rejects(ask('via-responses', 'sandbox: fail=500'), Anthropic.InternalServerError)
  const stranger = new Anthropic({
    baseURL: product.https,
    apiKey: 'nonsense',
    fetch: tlsFetch(product.authority),
    maxRetries: 0,
  })
  await assert.rejects(
    stranger.messages.countTokens({ model: 'via-chat', messages: [] }),
    Anthropic.AuthenticationError,
  )
})
