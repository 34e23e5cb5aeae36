/** Embeddings whose provider has another form than the caller's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonObject } from '../domain/json.ts'
import { providerSecret, rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'

const rig = rigForTests((upstream) => {
  const at = (id: string, providerId: string) =>
    testDeployment({ id, providerId, baseUrl: upstream.url, secrets: { apiKey: providerSecret } })
  return {
    deployments: [at('gemini', 'gemini'), at('openai', 'openai')],
    routes: [
      testRoute('vectors', ['gemini'], 'gemini-embedding-001'),
      testRoute('either', ['gemini', 'openai'], 'gemini-embedding-001'),
    ],
  }
})

const embed = (fields: Record<string, unknown>, model = 'vectors') =>
  rig.call('/v1/embeddings', { body: { model, input: 'one two', ...fields } })

const lastSent = () => rig.upstream.requests.at(-1)

function record() {
  const [first] = rig.started.records
  assert.ok(first)
  return first
}

test('texts go to Gemini as one batch, each with the model and the length of its vector', async () => {
  const answer = await embed({ input: ['one two', 'drei ☕'], dimensions: 4 })
  assert.equal(answer.status, 200)
  assert.equal(lastSent()?.path, '/v1beta/models/gemini-embedding-001:batchEmbedContents')
  const request = (text: string) => ({
    model: 'models/gemini-embedding-001',
    content: { parts: [{ text }] },
    outputDimensionality: 4,
  })
  assert.deepEqual(JSON.parse(String(lastSent()?.body)), {
    requests: [request('one two'), request('drei ☕')],
  })
  const { data, model, usage, object } = answer.json() as {
    data: { index: number; object: string; embedding: number[] }[]
    model: string
    usage: { prompt_tokens: number; total_tokens: number }
    object: string
  }
  assert.deepEqual([object, model], ['list', 'vectors'])
  assert.deepEqual(
    data.map((one) => [one.object, one.index, one.embedding.length]),
    [
      ['embedding', 0, 4],
      ['embedding', 1, 4],
    ],
  )
  assert.notDeepEqual(data[0]?.embedding, data[1]?.embedding)
  assert.equal(usage.prompt_tokens, usage.total_tokens)
  assert.deepEqual(
    [record().inputTokens, record().outputTokens, record().estimated, record().deploymentId],
    [usage.prompt_tokens, 0, false, 'gemini'],
  )
})

test('a text alone keeps the length of the model', async () => {
  await embed({})
  const sent: unknown = JSON.parse(String(lastSent()?.body))
  assert.deepEqual(sent, {
    requests: [{ model: 'models/gemini-embedding-001', content: { parts: [{ text: 'one two' }] } }],
  })
})

test('vectors come as numbers, or as float32 in base64 where the caller asks for it', async () => {
  const first = (answer: { json(): unknown }) =>
    (answer.json() as { data: { embedding: unknown }[] }).data[0]?.embedding
  const floats = first(await embed({ dimensions: 8, encoding_format: 'float' })) as number[]
  const base64 = first(await embed({ dimensions: 8, encoding_format: 'base64' }))
  assert.equal(typeof base64, 'string')
  const bytes = Buffer.from(String(base64), 'base64')
  const decoded = Array.from({ length: 8 }, (_, at) => bytes.readFloatLE(at * 4))
  assert.deepEqual(decoded, floats.map(Math.fround))
})

test('where the provider tells no figures they are estimated, and marked so', async () => {
  const answer = await embed({ input: 'sandbox: no-usage' })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['x-gatewright-tokens-estimated'], 'true')
  assert.ok(record().inputTokens > 0)
  assert.equal(record().estimated, true)
})

test("the end user's name is left out, visibly", async () => {
  const answer = await embed({ user: 'u-1' })
  assert.equal(answer.status, 200)
  assert.match(String(answer.headers['x-gatewright-downgrades']), /\buser\b/)
})

test('what Gemini cannot take, or nobody could, is refused by the name of the field', async () => {
  const cases: [Record<string, unknown>, string, string][] = [
    [{ input: [1, 2, 3] }, 'dialect.cannot-express', 'input'],
    [{ input: [[1, 2], [3]] }, 'dialect.cannot-express', 'input'],
    [{ input_type: 'query' }, 'dialect.cannot-express', 'input_type'],
    [{ input: null }, 'request.missing-field', 'input'],
    [{ input: [] }, 'request.invalid-field', 'input'],
    [{ input: ['a', 7] }, 'request.invalid-field', 'input[1]'],
    [{ dimensions: 0 }, 'request.invalid-field', 'dimensions'],
    [{ dimensions: 'many' }, 'request.invalid-field', 'dimensions'],
    [{ encoding_format: 'hex' }, 'request.invalid-field', 'encoding_format'],
  ]
  for (const [fields, code, field] of cases) {
    const answer = await embed(fields)
    assert.deepEqual([answer.status, answer.faultCode], [400, code], JSON.stringify(fields))
    assert.ok(answer.message.includes(field), answer.message)
  }
  assert.equal(rig.upstream.requests.length, 0)
})

test("Gemini's refusal arrives as OpenAI's clients expect it", async () => {
  const answer = await embed({ input: 'sandbox: fail=429' })
  assert.equal(answer.status, 429)
  const body = answer.json()
  assert.ok(isJsonObject(body as never) && 'error' in (body as object))
  assert.equal((body as { error: { type: string } }).error.type, 'rate_limit_error')
})

test('an answer that cannot be read is a failure of the provider, and the next one is asked', async () => {
  assert.equal((await embed({ input: 'sandbox: fail=malformed' })).faultCode, 'upstream.malformed')
  const answer = await embed({ input: 'sandbox: fail=503' }, 'either')
  assert.equal(answer.status, 503, 'both fail alike')
  assert.deepEqual(rig.upstream.requests.map(({ path }) => path).slice(-2), [
    '/v1beta/models/gemini-embedding-001:batchEmbedContents',
    '/embeddings',
  ])
})
