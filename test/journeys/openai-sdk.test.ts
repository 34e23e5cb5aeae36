/** The official OpenAI SDK, unmodified, over TLS, against every upstream dialect. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { startUpstreamServer, type UpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import { type Product, startProduct } from './product.ts'
import { tlsFetch } from './tls-fetch.ts'
import { dialectModels, upstreamConfig, upstreamEnvironment } from './upstream-models.ts'

let server: UpstreamServer
let product: Product
let client: OpenAI

before(async () => {
  server = await startUpstreamServer()
  product = await startProduct({ config: upstreamConfig(server), environment: upstreamEnvironment })
  client = new OpenAI({
    baseURL: `${product.https}/v1`,
    apiKey: product.apiKey,
    fetch: tlsFetch(product.authority),
    maxRetries: 0,
  })
})
after(async () => {
  await product.stop()
  await server.close()
})

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
} as const

for (const model of dialectModels) {
  describe(`openai SDK, ${model}`, () => {
    test('chat answers, with usage', async () => {
      const completion = await client.chat.completions.create({
        model,
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'sandbox: say=Grüße, 世界' },
        ],
      })
      assert.equal(completion.choices[0]?.message.content, 'Grüße, 世界')
      assert.equal(completion.choices[0]?.finish_reason, 'stop')
      assert.ok((completion.usage?.prompt_tokens ?? 0) > 0)
      assert.match(completion._request_id ?? '', /^req_/)
    })

    test('chat streams, accumulated by the SDK, with usage when asked for', async () => {
      const stream = client.chat.completions.stream({
        model,
        stream_options: { include_usage: true },
        messages: [{ role: 'user', content: 'sandbox: say=one two three four' }],
      })
      let deltas = 0
      stream.on('content', () => {
        deltas += 1
      })
      const completion = await stream.finalChatCompletion()
      assert.equal(completion.choices[0]?.message.content, 'one two three four')
      assert.ok(deltas > 1, 'more than one delta')
      assert.ok((completion.usage?.completion_tokens ?? 0) > 0)
    })

    test('tools are called and their results answered', async () => {
      const messages: OpenAI.ChatCompletionMessageParam[] = [
        { role: 'user', content: 'What is the weather in Oslo?' },
      ]
      const first = await client.chat.completions.create({
        model,
        messages,
        tools: [weather],
        tool_choice: 'required',
      })
      const call = first.choices[0]?.message.tool_calls?.[0]
      assert.equal(first.choices[0]?.finish_reason, 'tool_calls')
      assert.ok(call?.type === 'function')
      assert.equal(call.function.name, 'get_weather')
      assert.equal(typeof (JSON.parse(call.function.arguments) as { city: unknown }).city, 'string')
      const [choice] = first.choices
      assert.ok(choice)
      messages.push(choice.message, { role: 'tool', tool_call_id: call.id, content: '{"celsius":7}' })
      const second = await client.chat.completions.create({ model, messages, tools: [weather] })
      assert.match(second.choices[0]?.message.content ?? '', /7/)
    })

    test('tool calls stream', async () => {
      const stream = client.chat.completions.stream({
        model,
        messages: [{ role: 'user', content: 'weather?' }],
        tools: [weather],
        tool_choice: 'required',
      })
      const completion = await stream.finalChatCompletion()
      const call = completion.choices[0]?.message.tool_calls?.[0]
      assert.ok(call?.type === 'function')
      assert.doesNotThrow(() => JSON.parse(call.function.arguments) as unknown)
    })

    test('structured output parses', async () => {
      const shape = z.object({ city: z.string(), inhabitants: z.number().int() })
      const completion = await client.chat.completions.parse({
        model,
        messages: [{ role: 'user', content: 'Describe Oslo.' }],
        response_format: zodResponseFormat(shape, 'city'),
      })
      assert.equal(typeof completion.choices[0]?.message.parsed?.city, 'string')
    })

    test('responses answer and stream', async () => {
      const response = await client.responses.create({ model, input: 'sandbox: say=hello there' })
      assert.equal(response.output_text, 'hello there')
      assert.equal(response.status, 'completed')
      const stream = client.responses.stream({ model, input: 'sandbox: say=alpha beta gamma' })
      const types: string[] = []
      for await (const event of stream) types.push(event.type)
      assert.equal(types[0], 'response.created')
      assert.equal(types.at(-1), 'response.completed')
      assert.equal((await stream.finalResponse()).output_text, 'alpha beta gamma')
    })

    test('responses call tools, take their results, and parse structured output', async () => {
      const { name, description, parameters } = weather.function
      const tools = [{ type: 'function', name, description, parameters, strict: true } as const]
      const asked = { role: 'user', content: 'What is the weather in Oslo?' } as const
      const first = await client.responses.create({ model, input: [asked], tools, tool_choice: 'required' })
      const call = first.output.find((item) => item.type === 'function_call')
      assert.equal(call?.name, 'get_weather')
      assert.equal(typeof JSON.parse(call.arguments).city, 'string')
      const result = { type: 'function_call_output', call_id: call.call_id, output: '{"celsius":4}' } as const
      const called = {
        type: 'function_call',
        call_id: call.call_id,
        name: call.name,
        arguments: call.arguments,
      } as const
      const second = await client.responses.create({ model, input: [asked, called, result], tools })
      assert.equal(second.status, 'completed')
      assert.ok(second.output_text.length > 0)
      const parsed = await client.responses.parse({
        model,
        input: 'Describe Oslo.',
        text: { format: zodTextFormat(z.object({ city: z.string(), inhabitants: z.number() }), 'city') },
      })
      assert.equal(typeof parsed.output_parsed?.city, 'string')
    })

    test('an aborted stream aborts the upstream and is still metered', async () => {
      const seen = server.requests.length
      const stream = await client.chat.completions.create({
        model,
        stream: true,
        messages: [{ role: 'user', content: 'sandbox: chunk-delay=40ms\nsandbox: tokens=400' }],
      })
      for await (const _ of stream) break
      stream.controller.abort()
      await server.until(() => server.requests[seen]?.disconnected === true, 5000)
    })
  })
}

for (const model of ['via-openai', 'via-gemini']) {
  test(`embeddings, ${model}`, async () => {
    const input = ['a cat sat', 'a cat slept', 'stock market']
    const { data, usage } = await client.embeddings.create({ model, input, dimensions: 256 })
    const vectors = data.map(({ embedding }) => embedding)
    assert.deepEqual(
      vectors.map((vector) => vector.length),
      [256, 256, 256],
    )
    const [cat, other, market] = vectors
    assert.ok(cat !== undefined && other !== undefined && market !== undefined)
    assert.ok(nearness(cat, other) > nearness(cat, market), 'texts that share words lie near each other')
    assert.ok(usage.prompt_tokens > 0)
    const asked = await client.embeddings.create({
      model,
      input: 'a cat sat',
      dimensions: 256,
      encoding_format: 'float',
    })
    assert.ok(nearness(cat, asked.data[0]?.embedding ?? []) > 0.999, 'in either encoding')
    await assert.rejects(
      client.embeddings.create({ model, input: 'sandbox: fail=400' }),
      OpenAI.BadRequestError,
    )
  })
}

/** Cosine of the angle between vectors of length 1. */
function nearness(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0)
}

test('moderations and the model list', async () => {
  const moderation = await client.moderations.create({ model: 'via-openai', input: 'fine' })
  assert.equal(moderation.results[0]?.flagged, false)
  const names: string[] = []
  for await (const model of client.models.list()) names.push(model.id)
  assert.ok(names.includes('via-anthropic') && names.includes('sandbox'))
  assert.equal((await client.models.retrieve('via-gemini')).id, 'via-gemini')
})

test('embeddings of a deployment whose dialect has none are refused, naming model and operation', async () => {
  for (const model of ['via-anthropic', 'via-bedrock']) {
    await assert.rejects(client.embeddings.create({ model, input: 'a' }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, String(error))
      assert.match(error.message, new RegExp(`${model}.*embeddings|embeddings.*${model}`))
      return true
    })
  }
})

test('errors arrive as the SDK classes, with code and request id', async () => {
  await assert.rejects(
    client.chat.completions.create({ model: 'no-such-model', messages: [] }),
    (error: unknown) =>
      error instanceof OpenAI.NotFoundError &&
      error.code === 'access.model-not-found' &&
      /^req_/.test(error.requestID ?? ''),
  )
  const stranger = new OpenAI({
    baseURL: `${product.https}/v1`,
    apiKey: 'sk-nonsense',
    fetch: tlsFetch(product.authority),
    maxRetries: 0,
  })
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError)
  await assert.rejects(
    client.chat.completions.create({
      model: 'via-anthropic',
      messages: [{ role: 'user', content: 'sandbox: fail=429' }],
    }),
    OpenAI.RateLimitError,
  )
})
