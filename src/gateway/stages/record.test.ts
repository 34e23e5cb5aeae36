import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'

const rig = rigForTests((upstream) => ({
  deployments: [
    testDeployment({
      id: 'openai',
      providerId: 'openai',
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0001' },
    }),
  ],
  routes: [
    testRoute('gpt', ['openai'], 'gpt-4o'),
    testRoute('own', ['openai'], 'never-heard-of'),
    testRoute('any-*', ['openai'], 'gpt-4o'),
  ],
}))

const only = () => {
  assert.equal(rig.started.records.length, 1)
  const [record] = rig.started.records
  assert.ok(record)
  return record
}
const say = (text: string) => ({ messages: [{ role: 'user', content: `sandbox: ${text}` }] })

test('a record tells who, what, where, how much and how long', async () => {
  const before = Date.now()
  const answer = await rig.chat()
  const record = only()
  assert.equal(record.id, answer.headers['x-request-id'])
  assert.ok(record.time >= before && record.time <= Date.now())
  assert.deepEqual(
    [record.organizationId, record.applicationId, record.keyId, record.operation, record.dialect],
    ['org_a', 'app_a', rig.started.keyId, 'chat.completions', 'openai-chat'],
  )
  assert.deepEqual(
    [record.model, record.servedModel, record.deploymentId, record.providerId],
    ['gpt', 'gpt-4o', 'openai', 'openai'],
  )
  assert.deepEqual(
    [record.status, record.fault, record.outcome, record.streamed],
    [200, '', 'completed', false],
  )
  assert.equal(record.responseBytes, Buffer.byteLength(answer.text))
  assert.ok(record.requestBytes > 0)
  assert.ok(
    record.overheadMs > 0 &&
      record.overheadMs <= record.firstByteMs &&
      record.firstByteMs <= record.durationMs,
  )
})

test('an exchange counts to the first product that let it in, and to none before that is known', async () => {
  const { gateway, config } = rig.started
  const grant = { operations: ['*'], planId: null }
  const grants = [
    { ...grant, productId: 'prd_one', models: ['any-one'] },
    { ...grant, productId: 'prd_all', models: ['*'] },
  ]
  const applications = config.applications.map((application) => ({ ...application, grants }))
  gateway.apply({ type: 'config', config: { ...config, version: 2, applications } })
  for (const model of ['gpt', 'any-one', 'any-two', 'nothing']) await rig.chat({ model })
  assert.deepEqual(
    rig.started.records.map(({ model, productId }) => [model, productId]),
    [
      ['gpt', 'prd_all'],
      ['any-one', 'prd_one'],
      ['any-two', 'prd_all'],
      ['nothing', ''],
    ],
  )
})

test("the provider's figures count, and the cost follows from the price table, in headers and record alike", async () => {
  const answer = await rig.chat(say('cached=3\nsandbox: say=hello there'))
  const record = only()
  const { usage } = answer.json() as { usage: { prompt_tokens: number; completion_tokens: number } }
  assert.deepEqual([record.inputTokens, record.outputTokens], [usage.prompt_tokens, usage.completion_tokens])
  assert.deepEqual([record.cachedInputTokens, record.estimated], [3, false])
  // gpt-4o: 2.50, cached 1.25, output 10.00 US dollars for a million tokens.
  const micro = (usage.prompt_tokens - 3) * 2.5 + 3 * 1.25 + usage.completion_tokens * 10
  assert.ok(Math.abs((record.costMicroUsd ?? 0) - micro) <= 1, `${record.costMicroUsd} against ${micro}`)
  assert.equal(answer.headers['x-gatewright-cost-usd'], ((record.costMicroUsd ?? 0) / 1e6).toFixed(6))
  assert.equal(answer.headers['x-gatewright-tokens-input'], String(usage.prompt_tokens))
})

test('where the provider tells no figures they are estimates, marked so', async () => {
  const answer = await rig.chat(say('no-usage\nsandbox: say=hello'))
  const record = only()
  assert.equal(record.estimated, true)
  assert.ok(record.inputTokens > 0 && record.outputTokens > 0)
  assert.equal(answer.headers['x-gatewright-tokens-estimated'], 'true')
})

test('streams without figures are estimated too', async () => {
  await rig.chat({ stream: true, ...say('no-usage tokens=50') })
  const record = only()
  assert.deepEqual([record.streamed, record.estimated], [true, true])
  assert.ok(record.outputTokens > 10)
})

test('a model without a price costs null, not zero', async () => {
  const answer = await rig.chat({ model: 'own' })
  assert.equal(only().costMicroUsd, null)
  assert.equal(answer.headers['x-gatewright-cost-usd'], undefined)
})

test('end user, metadata and tags are carried, the header before the body', async () => {
  await rig.chat(
    { user: 'u-1', metadata: { team: 'search', env: 'dev', n: 7, deep: { no: 1 } } },
    { 'x-gatewright-tags': 'env=prod, ticket=A=B, =nothing' },
  )
  const record = only()
  assert.equal(record.endUser, 'u-1')
  assert.deepEqual({ ...record.tags }, { team: 'search', env: 'prod', n: '7', ticket: 'A=B' })
})

test("the end user is read where each dialect's callers name it", async () => {
  const messages = [{ role: 'user', content: 'hi' }]
  await rig.call('/v1/messages', {
    body: { model: 'gpt', max_tokens: 5, messages, metadata: { user_id: 'u-2' } },
  })
  assert.equal(only().endUser, 'u-2')
  rig.started.records.length = 0
  await rig.chat({ safety_identifier: 'u-3' })
  assert.equal(only().endUser, 'u-3')
})

test('tags and names are bounded, and no tag reaches the prototype', async () => {
  const metadata = Object.fromEntries(
    Array.from({ length: 40 }, (_, at) => [`k${at}${'x'.repeat(100)}`, 'v'.repeat(1000)]),
  )
  await rig.chat({ metadata, user: 'u'.repeat(1000) })
  const { tags, endUser } = only()
  assert.equal(Object.keys(tags).length, 16)
  assert.ok(Object.entries(tags).every(([key, value]) => key.length <= 64 && value.length <= 256))
  assert.equal(endUser.length, 256)
  await rig.call('/v1/chat/completions', {
    body: '{"model":"gpt","messages":[],"metadata":{"__proto__":"x","constructor":"y"}}',
  })
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('tags of header and body together keep to their bound', async () => {
  const pairs = (prefix: string) => Array.from({ length: 16 }, (_, at) => [`${prefix}${at}`, 'v'] as const)
  const header = pairs('h')
    .map((pair) => pair.join('='))
    .join(',')
  await rig.chat({ metadata: Object.fromEntries(pairs('m')) }, { 'x-gatewright-tags': header })
  const { tags } = only()
  assert.equal(Object.keys(tags).length, 16)
  assert.equal(tags['h0'], 'v')
})

test('refused requests of a proven key are recorded, others are not', async () => {
  await rig.chat({ model: 'nope' })
  assert.deepEqual(
    [only().outcome, only().fault, only().costMicroUsd],
    ['refused', 'access.model-not-found', null],
  )
  await rig.call('/v1/chat/completions', { body: {}, authorized: false })
  await rig.call('/livez')
  assert.equal(rig.started.records.length, 1)
})

test('embeddings and moderations are metered', async () => {
  await rig.call('/v1/embeddings', { body: { model: 'own', input: ['one two three', 'four'] } })
  assert.ok(only().inputTokens > 0)
  assert.deepEqual([only().outputTokens, only().operation, only().estimated], [0, 'embeddings', false])
})
