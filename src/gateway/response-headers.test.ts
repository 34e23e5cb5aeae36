import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'

const rig = rigForTests((upstream) => ({
  deployments: [
    testDeployment({
      id: 'openai',
      providerId: 'openai',
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0001' },
    }),
  ],
  routes: [testRoute('gpt', ['openai'], 'gpt-4o'), testRoute('weird', ['openai'], 'naïve\u0001model')],
}))

test('an answer tells request id, deployment, model, attempts, tokens, cost and overhead', async () => {
  const { headers } = await rig.chat()
  assert.match(String(headers['x-gatewright-request-id']), /^req_\w+$/)
  assert.deepEqual(
    [headers['x-gatewright-deployment'], headers['x-gatewright-model'], headers['x-gatewright-attempts']],
    ['openai', 'gpt-4o', '1'],
  )
  assert.ok(
    Number(headers['x-gatewright-tokens-input']) > 0 && Number(headers['x-gatewright-tokens-output']) > 0,
  )
  assert.match(String(headers['x-gatewright-cost-usd']), /^0\.\d{6}$/)
  assert.ok(Number(headers['x-gatewright-overhead-ms']) > 0)
})

test('Server-Timing names stages of the pipeline and the upstream, as the W3C has it', async () => {
  const timing = String((await rig.chat()).headers['server-timing'])
  assert.match(timing, /^(?:[a-z-]+;dur=\d+(?:\.\d+)?, )*upstream;dur=\d+(?:\.\d+)?$/)
})

test('a stream tells before its first token what is known by then', async () => {
  const { headers } = await rig.chat({ stream: true })
  assert.equal(headers['x-gatewright-deployment'], 'openai')
  assert.deepEqual([headers['cache-control'], headers['x-accel-buffering']], ['no-cache', 'no'])
  assert.equal(headers['x-gatewright-tokens-output'], undefined)
})

test('each SDK finds the request id under the name that it reads, on errors too', async () => {
  const messages = [{ role: 'user', content: 'hi' }]
  for (const model of ['gpt', 'nope']) {
    const anthropic = await rig.call('/v1/messages', { body: { model, max_tokens: 5, messages } })
    assert.match(String(anthropic.headers['request-id']), /^req_/)
    assert.match(String((await rig.chat({ model })).headers['x-request-id']), /^req_/)
  }
})

test('a model name that no header may hold is shown printable', async () => {
  const { status, headers } = await rig.chat({ model: 'weird' })
  assert.equal(status, 200)
  assert.equal(headers['x-gatewright-model'], 'na?ve?model')
})

test('headers of the caller are reflected nowhere', async () => {
  const marker = 'marker-7731'
  const { headers } = await rig.chat(
    {},
    { 'x-request-id': marker, 'x-gatewright-request-id': marker, 'x-custom': marker },
  )
  assert.doesNotMatch(JSON.stringify(headers), new RegExp(marker))
})
