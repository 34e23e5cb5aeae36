/** Headers of limits: their shapes, and what the official OpenAI SDK makes of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import type { LimitRule } from '../../domain/limits.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'
import { testLimit } from '../harness/test-limit.ts'

const rig = rigForTests((upstream) => ({
  deployments: [
    testDeployment({
      id: 'openai',
      providerId: 'openai',
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0001' },
    }),
  ],
  routes: [testRoute('gpt', ['openai'], 'gpt-4o')],
}))

function limit(...limits: readonly LimitRule[]): void {
  const { gateway, config } = rig.started
  gateway.apply({ type: 'config', config: { ...config, limits } })
}

const items = (value: unknown): string[] => String(value).split(', ')

test('each rule has a policy and a standing, the nearest to its amount first', async () => {
  limit(
    testLimit({
      id: 'hourly',
      meter: 'total-tokens',
      amount: 100_000,
      window: { kind: 'rolling', ms: 3_600_000, burst: null },
    }),
    testLimit({ id: 'by-day', amount: 5, window: { kind: 'calendar', period: 'day', timeZone: 'UTC' } }),
    testLimit({ id: 'places', meter: 'concurrent-requests', amount: 2, window: null }),
    testLimit({ id: 'soft', amount: 10, mode: 'warn' }),
    testLimit({ id: 'hidden', amount: 10, mode: 'shadow' }),
  )
  const { headers } = await rig.chat()
  const policies = items(headers['ratelimit-policy'])
  assert.deepEqual([...policies].sort(), [
    '"by-day";q=5;w=86400',
    '"hourly";q=100000;w=3600;qu="tokens"',
    '"places";q=2;qu="concurrent-requests"',
    '"soft";q=10;w=60',
  ])
  const standings = items(headers['ratelimit'])
  assert.match(standings[0] ?? '', /^"by-day";r=4;t=\d+$/)
  assert.ok(standings.includes('"places";r=2'))
  assert.match(standings.find((each) => each.includes('hourly')) ?? '', /^"hourly";r=999\d\d;t=\d$/)
})

test('OpenAI clients read limits where OpenAI tells them, and not those of the gateway’s own account', async () => {
  limit(
    testLimit({ id: 'requests', amount: 60, window: { kind: 'rolling', ms: 60_000, burst: 10 } }),
    testLimit({ id: 'tokens', meter: 'total-tokens', amount: 50_000 }),
  )
  rig.upstream.failNext({
    kind: 'status',
    status: 200,
    headers: {
      'content-type': 'application/json',
      'x-ratelimit-limit-requests': '10000',
      'x-ratelimit-remaining-tokens': '7',
    },
    body: JSON.stringify({
      choices: [],
      usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
    }),
  })
  const client = new OpenAI({ baseURL: `${rig.started.url}/v1`, apiKey: rig.started.apiKey, maxRetries: 0 })
  const { response } = await client.chat.completions
    .create({ model: 'gpt', messages: [{ role: 'user', content: 'hello' }] })
    .withResponse()
  const told = (name: string) => response.headers.get(`x-ratelimit-${name}`)
  assert.deepEqual(
    [told('limit-requests'), told('remaining-requests'), told('reset-requests')],
    ['60', '9', '1s'],
  )
  assert.deepEqual([told('limit-tokens'), told('remaining-tokens')], ['50000', '49880'])
  assert.match(told('reset-tokens') ?? '', /^\d+ms$/)
})

test('the SDK waits as Retry-After says and is then served', async () => {
  limit(testLimit({ id: 'quick', amount: 1, window: { kind: 'rolling', ms: 1000, burst: 1 } }))
  const client = new OpenAI({ baseURL: `${rig.started.url}/v1`, apiKey: rig.started.apiKey, maxRetries: 1 })
  const ask = () =>
    client.chat.completions.create({ model: 'gpt', messages: [{ role: 'user', content: 'hello' }] })
  await ask()
  const began = performance.now()
  await ask()
  assert.ok(performance.now() - began >= 900)
  assert.deepEqual(
    rig.started.records.map((record) => record.status),
    [200, 429, 200],
  )
})

test('the SDK does not try again where a budget is used up', async () => {
  const window = { kind: 'calendar', period: 'month', timeZone: 'UTC' } as const
  limit(testLimit({ id: 'spent', meter: 'total-tokens', amount: 1, window }))
  const client = new OpenAI({ baseURL: `${rig.started.url}/v1`, apiKey: rig.started.apiKey, maxRetries: 3 })
  const failure = await client.chat.completions
    .create({ model: 'gpt', messages: [{ role: 'user', content: 'hello' }] })
    .catch((error: unknown) => error)
  assert.ok(failure instanceof OpenAI.RateLimitError)
  assert.deepEqual([failure.code, failure.type], ['limits.budget-exhausted', 'insufficient_quota'])
  assert.equal(rig.started.records.length, 1)
})

test('without rules no answer speaks of limits', async () => {
  limit()
  const { headers } = await rig.chat()
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.includes('limit')),
    [],
  )
})
