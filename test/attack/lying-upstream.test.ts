/** A provider that lies, echoes and overdoes it, in answers that are well-formed HTTP. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { rigForTests } from '../../src/gateway/harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../../src/gateway/harness/start-gateway.ts'

const secret = 'sk-provider-secret-0c4e'
const rig = rigForTests((upstream) => ({
  deployments: ['openai', 'anthropic'].map((providerId) =>
    testDeployment({ id: providerId, providerId, baseUrl: upstream.url, secrets: { apiKey: secret } }),
  ),
  routes: [testRoute('gpt', ['openai']), testRoute('translated', ['anthropic'])],
  bounds: { keepAliveCommentMs: 3_600_000, responseBytes: 1_048_576 },
}))

const choices = [{ index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }]

test('usage figures that cannot be true do not reach the sums', async () => {
  for (const figure of ['1e300', '9007199254740993', '1.5', '1e999', '-7']) {
    rig.started.records.length = 0
    const usage = `"usage":{"prompt_tokens":${figure},"completion_tokens":${figure},"total_tokens":1}`
    rig.upstream.failNext({
      kind: 'status',
      status: 200,
      body: `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":${JSON.stringify(choices)},${usage}}`,
    })
    assert.equal((await rig.chat()).status, 200, figure)
    const [record] = rig.started.records
    for (const value of [record?.inputTokens, record?.outputTokens, record?.costMicroUsd ?? 0]) {
      assert.ok(Number.isSafeInteger(value) && Number(value) >= 0, `${figure}: ${value}`)
    }
  }
})

test('an answer of wrong types in every place is an error of the provider, and the exchange ends', async () => {
  const values = [null, true, 7, 'x', [], {}, [[]], [null], { a: null }]
  for (const model of ['gpt', 'translated']) {
    for (const stream of [false, true]) {
      for (const value of values) {
        const body = JSON.stringify({
          choices: value,
          content: value,
          usage: value,
          delta: value,
          type: value,
        })
        rig.upstream.failNext({
          kind: 'status',
          status: 200,
          headers: stream ? { 'content-type': 'text/event-stream' } : {},
          body: stream ? `event: content_block_delta\ndata: ${body}\n\ndata: ${body}\n\n` : body,
        })
        const answer = await rig.chat({ model, stream })
        assert.doesNotMatch(answer.text, /internal\.|TypeError|\.ts:/, `${model} ${stream} ${body}`)
      }
    }
  }
  assert.equal(rig.started.gateway.open, 0)
  assert.deepEqual(
    rig.started.notes.filter((note) => note.code.startsWith('internal.')),
    [],
  )
})

test('no header of a provider can add a header of its own to the reply', async () => {
  const raw = ['HTTP/1.1 200 OK', 'content-type: application/json\u0000', 'content-length: 2', '', '{}'].join(
    '\r\n',
  )
  rig.upstream.failNext({ kind: 'raw', bytes: raw })
  assert.equal((await rig.chat()).status, 502)
  rig.upstream.failNext({
    kind: 'status',
    status: 200,
    headers: {
      'x-ratelimit-requests': 'ü',
      'x-gatewright-request-id': 'forged',
      connection: 'x-a',
      'x-a': 'b',
    },
    body: '{}',
  })
  const answer = await rig.chat()
  assert.match(String(answer.headers['x-gatewright-request-id']), /^req_/)
  assert.equal(answer.headers['x-a'], undefined)
})

test('a body is let go of with its exchange, not when the next keep-alive comment would be due', async () => {
  const before = process.memoryUsage().arrayBuffers
  for (let round = 0; round < 20; round += 1) {
    const answer = await rig.chat({ stream: true, user: 'u', padding: 'x'.repeat(4_000_000) })
    assert.equal(answer.status, 200)
  }
  setFlagsFromString('--expose-gc')
  rig.upstream.clear()
  const collect = runInNewContext('gc') as () => void
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 30))
    collect()
  }
  const kept = (process.memoryUsage().arrayBuffers - before) / 4_000_000
  assert.ok(kept < 6, `${kept.toFixed(1)} bodies of 20 are kept`)
})
