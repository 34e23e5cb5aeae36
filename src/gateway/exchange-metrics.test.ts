/** What a gateway counts, read as a scraper reads it. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { createMetrics, openMetricWriter } from '../telemetry/index.ts'
import { rigForTests } from './harness/gateway-rig.ts'
import { openMetricFigures } from './harness/metric-figures.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'
import { matchesAll } from './harness/test-limit.ts'
import { createLoadMetrics } from './load-metrics.ts'

const memory = createMetrics(1)
const figures = openMetricFigures(memory)
const { scrape, grown } = figures
const secret = 'sk-live-7Qm3caller-secret-9d2f'

const rig = rigForTests((upstream) => {
  const openai = { providerId: 'openai', secrets: { apiKey: 'sk-test-0001' }, baseUrl: upstream.url }
  return {
    metrics: memory,
    deployments: [
      testDeployment({ id: 'main', ...openai }),
      testDeployment({ id: 'bad', ...openai, baseUrl: 'http://127.0.0.1:1/v1' }),
    ],
    routes: [
      testRoute('gpt', ['main'], 'gpt-4o'),
      testRoute('fallback', ['bad', 'main'], 'gpt-4o'),
      testRoute('any-*', ['main']),
    ],
  }
})

beforeEach(figures.mark)

const say = (text: string) => ({ messages: [{ role: 'user', content: `sandbox: ${text}` }] })

test('an answered request counts once: by operation, route, provider, status and outcome, with tokens and cost', async () => {
  const answer = await rig.chat(say('cached=3\nsandbox: say=hello there'))
  const { usage } = answer.json() as { usage: { prompt_tokens: number; completion_tokens: number } }
  assert.deepEqual(grown(/^gatewright_requests_total/), {
    'gatewright_requests_total operation=chat.completions model=gpt provider=openai status=2xx outcome=completed': 1,
  })
  const tokens = 'model=gpt provider=openai source=provider'
  assert.deepEqual(grown(/^gatewright_tokens_total/), {
    [`gatewright_tokens_total direction=input kind=text ${tokens}`]: usage.prompt_tokens - 3,
    [`gatewright_tokens_total direction=input kind=cached_read ${tokens}`]: 3,
    [`gatewright_tokens_total direction=output kind=text ${tokens}`]: usage.completion_tokens,
  })
  const [record] = rig.started.records
  const cost = grown(/^gatewright_cost_usd_total/)['gatewright_cost_usd_total model=gpt provider=openai'] ?? 0
  assert.ok(Math.abs(cost * 1e6 - (record?.costMicroUsd ?? 0)) < 1e-6, String(cost))
  assert.deepEqual(
    Object.values(grown(/^gatewright_(?:request|overhead|upstream)_duration_seconds_count/)),
    [1, 1, 1],
  )
  assert.deepEqual(grown(/^gatewright_upstream_attempts_total/), {
    'gatewright_upstream_attempts_total model=gpt-4o provider=openai outcome=ok': 1,
  })
  assert.deepEqual(grown(/^gatewright_product_requests_total/), {
    'gatewright_product_requests_total organization=org_a product=prd_a': 1,
  })
  const productCost = Object.values(grown(/^gatewright_product_cost_usd_total/))[0] ?? 0
  assert.ok(Math.abs(productCost - cost) < 1e-12, String(productCost))
  assert.deepEqual(grown(/^gen_ai_server_request_duration_seconds_count/), {
    'gen_ai_server_request_duration_seconds_count gen_ai_operation_name=chat gen_ai_provider_name=openai gen_ai_request_model=gpt': 1,
  })
  const usageSums = grown(/^gen_ai_client_token_usage_sum/)
  assert.deepEqual(Object.values(usageSums), [usage.prompt_tokens, usage.completion_tokens])
})

test('a stream counts as open while it lasts, and its first token is timed', async () => {
  const { call } = rig
  const body = { model: 'gpt', stream: true, ...say('tokens=6\nsandbox: chunk-delay=60') }
  const answered = call('/v1/chat/completions', { body })
  await assertSoon(() => figures.read().get('gatewright_open_streams') === 1)
  await answered
  await assertSoon(() => figures.read().get('gatewright_open_streams') === 0)
  assert.deepEqual(Object.values(grown(/^gatewright_time_to_first_token_seconds_count/)), [1])
  assert.deepEqual(Object.values(grown(/^gatewright_upstream_first_chunk_seconds_count/)), [1])
  assert.deepEqual(Object.values(grown(/^gen_ai_server_time_to_first_token_seconds_count/)), [1])
  // Six tokens, 60 ms apart: five times that after the first, by five tokens.
  const perToken = Object.values(grown(/^gen_ai_server_time_per_output_token_seconds_sum/))[0] ?? 0
  assert.ok(perToken > 0.03 && perToken < 0.5, String(perToken))
  assert.ok(Object.keys(grown(/^gatewright_request_duration_seconds_count/))[0]?.includes('stream=true'))
})

test('each try counts by the class of its failure, the request by how it ended', async () => {
  await rig.chat({ model: 'fallback' })
  assert.deepEqual(grown(/^gatewright_upstream_attempts_total/), {
    'gatewright_upstream_attempts_total model=gpt-4o provider=openai outcome=connect': 1,
    'gatewright_upstream_attempts_total model=gpt-4o provider=openai outcome=ok': 1,
  })
  await rig.chat(say('fail=500'))
  const failed = grown(/status=5xx|outcome=server/)
  assert.ok(
    Object.keys(failed).some((key) => key.startsWith('gatewright_requests_total')),
    JSON.stringify(failed),
  )
  assert.equal(failed['gatewright_upstream_attempts_total model=gpt-4o provider=openai outcome=server'], 1)
})

test('who is turned away counts too: without a key, on an unknown path', async () => {
  await rig.call('/v1/chat/completions', { body: { model: 'gpt' }, authorized: false })
  await rig.call('/v9/nowhere')
  assert.deepEqual(grown(/^gatewright_requests_total/), {
    'gatewright_requests_total operation=chat.completions model=other provider=none status=4xx outcome=refused': 1,
    'gatewright_requests_total operation=other model=none provider=none status=4xx outcome=refused': 1,
  })
  assert.equal(Object.values(grown(/^gatewright_request_faults_total/)).length, 2)
  await rig.call('/livez', { authorized: false })
  assert.equal(Object.keys(grown(/^gatewright_requests_total/)).length, 2)
})

test('nothing that a caller names becomes a label: models, users, tags, paths, keys', async () => {
  const headers = { 'x-gatewright-tags': `team=${secret}` }
  await rig.chat({ model: secret, user: secret, metadata: { [secret]: secret } }, headers)
  await rig.chat({ model: `any-${secret}`, user: secret })
  await rig.chat({ user: secret })
  await rig.call(`/v1/${secret}`)
  await rig.call(`/v1/models/${secret}`)
  await rig.call('/v1/chat/completions', { body: {}, headers: { authorization: `Bearer ${secret}` } })
  const text = scrape()
  for (const hidden of [secret, secret.slice(8), rig.started.apiKey, rig.started.keyId])
    assert.ok(!text.includes(hidden), hidden)
  assert.ok(text.includes('model="any-*"'))
})

test('estimates are judged by model: those of the configuration by name, what a pattern let through by the pattern', async () => {
  const limits = {
    id: 'tokens',
    organizationId: 'org_a',
    name: 'tokens',
    meter: 'input-tokens' as const,
    amount: 1e9,
    window: { kind: 'rolling' as const, ms: 60_000, burst: null },
    per: [],
    mode: 'enforce' as const,
    whenExceeded: 'refuse' as const,
    onStoreLoss: 'closed' as const,
    alertsAt: [],
    match: matchesAll,
  }
  const { gateway, config } = rig.started
  gateway.apply({ type: 'config', config: { ...config, version: 2, limits: [limits] } })
  const text = 'many words that are counted one by one '.repeat(20)
  const publish = createLoadMetrics(openMetricWriter(memory, 0), '0')
  for (const model of ['gpt', `any-${secret}`]) {
    await new Promise((resolve) => setTimeout(resolve, 1050))
    await rig.chat({ model, messages: [{ role: 'user', content: `sandbox: say=hello\n${text}` }] })
  }
  const { open, load, queue, labelOf } = gateway
  publish({ open, load, queue, labelOf, heldBytes: 17 })
  const found = grown(/^gatewright_token_estimates_total/)
  assert.deepEqual(found, {
    'gatewright_token_estimates_total model=gpt-4o provider=openai': 1,
    'gatewright_token_estimates_total model=any-* provider=openai': 1,
  })
  const error =
    figures.read().get('gatewright_token_estimate_error_ratio model=gpt-4o provider=openai') ?? Number.NaN
  assert.ok(error >= 0 && error < 4, String(error))
  assert.equal(figures.read().get('gatewright_usage_held_bytes'), 17)
  assert.ok(!scrape().includes(secret))
})

async function assertSoon(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'not within 5 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
