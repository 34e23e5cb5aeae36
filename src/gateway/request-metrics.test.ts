/** What a gateway counts of each request alike: HTTP names, stages, who was let in, and how long it waited. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { createMetrics } from '../telemetry/index.ts'
import { rigForTests } from './harness/gateway-rig.ts'
import { openMetricFigures } from './harness/metric-figures.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'
import { testLimit } from './harness/test-limit.ts'

const memory = createMetrics(1)
const { grown, mark, read, scrape } = openMetricFigures(memory)
const rig = rigForTests((upstream) => ({
  metrics: memory,
  deployments: [
    testDeployment({
      id: 'main',
      providerId: 'openai',
      secrets: { apiKey: 'sk-test-0001' },
      baseUrl: upstream.url,
    }),
  ],
  routes: [testRoute('gpt', ['main'], 'gpt-4o')],
}))
beforeEach(mark)

const http = /^http_server_request_duration_seconds_count/
const httpName = 'http_server_request_duration_seconds_count http_request_method'
const chatRoute = 'POST url_scheme=http http_route=/v1/chat/completions'
const say = (text: string) => ({ messages: [{ role: 'user', content: `sandbox: ${text}` }] })

test('requests count under the names of HTTP: by method, route of the table, status, and error of ours', async () => {
  await rig.chat()
  await rig.chat({ model: 'unknown' })
  await rig.chat(say('fail=500'))
  assert.deepEqual(grown(http), {
    [`${httpName}=${chatRoute} http_response_status_code=200`]: 1,
    [`${httpName}=${chatRoute} http_response_status_code=404`]: 1,
    [`${httpName}=${chatRoute} http_response_status_code=500 error_type=upstream.error`]: 1,
  })
})

test('a path that is none of ours and a method of the caller’s own become no label', async () => {
  await rig.call('/v1/secret-path-7731')
  await rig.call('/v1/secret-path-7731', { method: 'PURGE' })
  assert.deepEqual(grown(http), { [`${httpName}=_OTHER url_scheme=http http_response_status_code=404`]: 2 })
  assert.ok(!scrape().includes('7731') && !scrape().includes('PURGE'))
})

test('requests under way are counted by method and scheme, and none when all have ended', async () => {
  const name = 'http_server_active_requests http_request_method=POST url_scheme=http'
  const answered = rig.chat(say('delay=150ms'))
  const deadline = Date.now() + 5000
  while (read().get(name) !== 1 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(read().get(name), 1)
  await answered
  assert.equal(read().get(name), 0)
})

test('each stage is timed once for a request, and up to where a refused one came', async () => {
  const stages = /^gatewright_request_stage_duration_seconds_count/
  const named = (...names: string[]): Record<string, number> =>
    Object.fromEntries(
      names.map((name) => [`gatewright_request_stage_duration_seconds_count stage=${name}`, 1]),
    )
  await rig.chat()
  assert.deepEqual(
    grown(stages),
    named('correlate', 'authenticate', 'receive', 'validate', 'idempotency', 'call-upstream'),
  )
  mark()
  await rig.call('/v1/chat/completions', { body: {}, authorized: false })
  assert.deepEqual(grown(stages), named('correlate', 'authenticate'))
})

test('the time of the provider is in no stage', async () => {
  await rig.chat(say('delay=400ms'))
  const sums = Object.values(grown(/^gatewright_request_stage_duration_seconds_sum/))
  assert.ok(sums.reduce((sum, each) => sum + each, 0) < 0.35, String(sums))
})

test('keys count as attempts by what came of them, and what they may have as decisions', async () => {
  const authorization = (text: string) => ({ headers: { authorization: text }, body: {}, authorized: false })
  await rig.chat()
  await rig.chat({ model: 'unknown' })
  await rig.call('/v1/chat/completions', authorization('Bearer nothing'))
  await rig.call('/v1/chat/completions', { body: {}, authorized: false })
  const attempts = 'gatewright_auth_attempts_total method=api_key result'
  assert.deepEqual(grown(/^gatewright_auth_attempts_total/), {
    [`${attempts}=ok`]: 2,
    [`${attempts}=invalid-key`]: 1,
    [`${attempts}=missing-credentials`]: 1,
  })
  const decisions = 'gatewright_authz_decisions_total resource'
  assert.deepEqual(grown(/^gatewright_authz_decisions_total/), {
    [`${decisions}=operation decision=allow`]: 2,
    [`${decisions}=model decision=allow`]: 1,
    [`${decisions}=model decision=deny`]: 1,
  })
})

test('a wait for a limit is timed by whether the request was served in the end; who did not wait is left out', async () => {
  const { gateway, config } = rig.started
  const place = { meter: 'concurrent-requests', amount: 1, window: null, whenExceeded: 'queue' } as const
  const limits = [testLimit({ id: 'place', name: 'place', ...place })]
  gateway.apply({ type: 'config', config: { ...config, version: 2, limits } })
  await Promise.all([rig.chat(say('delay=120ms')), rig.chat(say('delay=120ms'))])
  const waited = 'gatewright_queue_wait_duration_seconds'
  const found = grown(/^gatewright_queue_wait_duration_seconds_(?:count|sum)/)
  assert.equal(found[`${waited}_count result=served`], 1)
  assert.ok((found[`${waited}_sum result=served`] ?? 0) > 0.08, JSON.stringify(found))
})
