/** Where a provider tells no figures, exchanges are still metered, near what the model would count. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadTokenizer } from '../metering/index.ts'
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
  routes: [testRoute('gpt', ['openai'], 'gpt-4o')],
}))
before(() => loadTokenizer({ provider: 'openai', model: 'gpt-4o' }))

const url = `data:image/png;base64,${'A'.repeat(400_000)}`
const picture = { type: 'image_url', image_url: { url } }
const messages = [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, picture] }]
const message = { role: 'assistant', content: 'A lighthouse.' }
const answer = { id: 'c', object: 'chat.completion', created: 1, model: 'm' }
const silent = JSON.stringify({ ...answer, choices: [{ index: 0, message, finish_reason: 'stop' }] })

function lastFigures(): readonly unknown[] {
  const record = rig.started.records.at(-1)
  assert.ok(record !== undefined && record.outputTokens > 0)
  return [record.inputTokens, record.estimated]
}
/** A picture of unknown size, four words, one message. */
const expected = [765 + 4 + 4 + 3, true]

test('a picture is charged as one, not by the length of its base64', async () => {
  rig.upstream.failNext({ kind: 'status', status: 200, body: silent })
  assert.equal((await rig.chat({ messages })).status, 200)
  assert.deepEqual(lastFigures(), expected)
})

test('a stream without figures is metered alike', async () => {
  const chunk = {
    ...answer,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: message, finish_reason: 'stop' }],
  }
  const body = `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`
  rig.upstream.failNext({
    kind: 'status',
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body,
  })
  assert.equal((await rig.chat({ messages, stream: true })).status, 200)
  assert.deepEqual(lastFigures(), expected)
})

test('an answer that is translated, too', async () => {
  const source = { type: 'base64', media_type: 'image/png', data: 'A'.repeat(400_000) }
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image', source },
  ]
  const body = { model: 'gpt', max_tokens: 50, messages: [{ role: 'user', content }] }
  rig.upstream.failNext({ kind: 'status', status: 200, body: silent })
  assert.equal((await rig.call('/v1/messages', { body })).status, 200)
  assert.deepEqual(lastFigures(), expected)
})
