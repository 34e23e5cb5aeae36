import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from 'undici'
import { collectGarbage } from '../kernel/harness/collect-garbage.ts'
import { rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'

const rig = rigForTests((upstream) => {
  const at = (id: string, providerId: string) =>
    testDeployment({ id, providerId, baseUrl: upstream.url, secrets: { apiKey: 'sk-test-0001' } })
  return {
    deployments: [at('openai', 'openai'), at('anthropic', 'anthropic'), at('gemini', 'gemini')],
    routes: [
      testRoute('gpt', ['openai'], 'gpt-4o'),
      testRoute('claude', ['anthropic'], 'claude-sonnet-4-5'),
      testRoute('gemini-pro', ['gemini']),
      testRoute('whisper', ['openai'], 'whisper-1'),
      testRoute('tts', ['openai'], 'tts-1'),
    ],
    bounds: { uploadBytes: 80_000_000, bodyBytes: 2_000_000 },
  }
})

const boundary = 'xYzZY'
const formType = { 'content-type': `multipart/form-data; boundary=${boundary}` }
const audio = Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 256))

function form(model: string, extra = ''): Buffer {
  return Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="model"\r\nContent-Type: audio/wav\r\n\r\n`,
    ),
    audio,
    Buffer.from(
      `\r\n--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n${extra}--${boundary}--\r\n`,
    ),
  ])
}
const sent = () => rig.upstream.requests.at(-1)

test('a form keeps every byte, but for the model name', async () => {
  const answer = await rig.call('/v1/audio/transcriptions', { body: form('whisper'), headers: formType })
  assert.equal(answer.status, 200)
  assert.deepEqual(sent()?.body, form('whisper-1'))
  assert.equal(sent()?.header('content-type'), formType['content-type'])
  assert.equal(rig.started.records[0]?.servedModel, 'whisper-1')
})

test('a file part called model is not taken for the field; a form without the field is refused', async () => {
  const part = 'Content-Disposition: form-data; name="model"; filename="x"'
  const body = Buffer.from(`--${boundary}\r\n${part}\r\n\r\nwhisper\r\n--${boundary}--\r\n`)
  const answer = await rig.call('/v1/audio/transcriptions', { body, headers: formType })
  assert.equal(answer.status, 400)
  assert.equal(rig.upstream.requests.length, 0)
})

test('the model of a form is authorized like any other', async () => {
  const answer = await rig.call('/v1/images/edits', { body: form('nope'), headers: formType })
  assert.deepEqual([answer.status, answer.faultCode], [404, 'access.model-not-found'])
})

test('binary audio comes back byte for byte', async () => {
  const response = await request(`${rig.started.url}/v1/audio/speech`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rig.started.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'tts', input: 'hello', voice: 'alloy' }),
  })
  const bytes = Buffer.from(await response.body.arrayBuffer())
  assert.equal(response.statusCode, 200)
  assert.match(String(response.headers['content-type']), /^audio\//)
  assert.ok(bytes.length > 0 && bytes.length === rig.started.records[0]?.responseBytes)
  assert.equal(rig.started.records[0]?.outcome, 'completed')
})

test('a large upload streams through: all bytes arrive, and little of it is held', async () => {
  const piece = Buffer.alloc(1_000_000, 'u')
  const pieces = 60
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < pieces; at += 1) {
      collectGarbage()
      peak = Math.max(peak, process.memoryUsage().arrayBuffers)
      yield piece
    }
  }
  let peak = 0
  const before = process.memoryUsage().arrayBuffers
  const call = rig.call('/v1/files', { body: body(), headers: formType })
  const answer = await call
  assert.ok(answer.status < 500, answer.text)
  assert.equal(sent()?.body.length, pieces * piece.length)
  assert.equal(rig.started.records[0]?.requestBytes, pieces * piece.length)
  // The upstream of this test lives in the same process and keeps all it receives, once.
  assert.ok(peak - before < 1.2 * pieces * piece.length, `${peak - before} bytes at the peak`)
})

test('files and batches pass with method, path and query', async () => {
  for (const [method, path] of [
    ['GET', '/v1/files?purpose=batch&limit=2'],
    ['GET', '/v1/files/file-1'],
    ['GET', '/v1/files/file-1/content'],
    ['DELETE', '/v1/files/file-1'],
    ['GET', '/v1/batches'],
    ['GET', '/v1/batches/batch_1'],
    ['POST', '/v1/batches/batch_1/cancel'],
  ] as const) {
    await rig.call(path, { method })
    assert.deepEqual([sent()?.method, sent()?.path], [method, path.slice('/v1'.length)])
  }
  const body = { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' }
  assert.equal((await rig.call('/v1/batches', { body })).status, 200)
  assert.deepEqual(JSON.parse(sent()?.body.toString() ?? ''), body)
})

test('a remainder that could become another path never reaches the upstream', async () => {
  for (const path of [
    '/v1/files/../admin',
    '/v1/files/%2e%2e/admin',
    '/v1/files/a/../../b',
    '/v1/files/a%00',
    '/v1/files//x',
    '/v1/files/.ssh',
  ]) {
    assert.equal((await rig.call(path)).status, 404, path)
  }
  assert.equal(rig.upstream.requests.length, 0)
})

test('tokens are counted by the deployment where it can, estimated and marked where it cannot', async () => {
  const body = { messages: [{ role: 'user', content: 'hello there' }] }
  const counted = await rig.call('/v1/messages/count_tokens', { body: { model: 'claude', ...body } })
  assert.deepEqual([counted.status, sent()?.path], [200, '/v1/messages/count_tokens'])
  assert.equal(counted.headers['x-gatewright-tokens-estimated'], undefined)
  rig.upstream.clear()
  const estimated = await rig.call('/v1/messages/count_tokens', { body: { model: 'gpt', ...body } })
  assert.ok(Number(estimated.json()['input_tokens']) > 0)
  assert.equal(estimated.headers['x-gatewright-tokens-estimated'], 'true')
  assert.equal(rig.upstream.requests.length, 0)
})

test('Gemini streams without alt=sse are one JSON array, with it server-sent events', async () => {
  const body = { contents: [{ role: 'user', parts: [{ text: 'sandbox: tokens=20' }] }] }
  for (const model of ['gemini-pro', 'gpt']) {
    const array = await rig.call(`/v1beta/models/${model}:streamGenerateContent`, { body })
    assert.match(String(array.headers['content-type']), /^application\/json/)
    const items = JSON.parse(array.text) as { candidates: unknown[] }[]
    assert.ok(items.length > 2 && items.every((item) => Array.isArray(item.candidates)), model)
    const events = await rig.call(`/v1beta/models/${model}:streamGenerateContent?alt=sse`, { body })
    assert.match(events.text, /^data: \{/)
  }
})

test('a Gemini array that breaks off is not valid JSON', async () => {
  rig.upstream.failNext({ kind: 'cut', afterBytes: 700 })
  const body = { contents: [{ role: 'user', parts: [{ text: 'sandbox: tokens=100' }] }] }
  const text = await rig.call('/v1beta/models/gemini-pro:streamGenerateContent', { body }).then(
    (answer) => answer.text,
    () => 'cut',
  )
  assert.ok(text === 'cut' || text.includes('upstream.broken'), text.slice(-300))
})
