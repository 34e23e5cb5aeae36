/**
 * The right to use a model, attacked through the gap between how the gateway reads a request and how a provider may:
 * a key that may use `cheap` alone tries to have `dear` run.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rigForTests } from '../../src/gateway/harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../../src/gateway/harness/start-gateway.ts'

const rig = rigForTests((upstream) => ({
  deployments: ['openai', 'azure-openai', 'gemini'].map((providerId) =>
    testDeployment({
      id: providerId,
      providerId,
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0001' },
      settings: providerId === 'azure-openai' ? { resource: 'r' } : {},
    }),
  ),
  routes: [
    testRoute('cheap', ['openai']),
    testRoute('dear', ['openai']),
    testRoute('azure', ['azure-openai']),
    testRoute('flash', ['gemini']),
    testRoute('any/*', ['openai']),
  ],
  key: { models: ['cheap', 'flash', 'azure'] },
}))

const allow = (models: readonly string[] | null): void => {
  const { gateway, key } = rig.started
  gateway.apply({ type: 'keys', version: 2, reset: true, upsert: [{ ...key, models }], remove: [] })
}

async function assertNothingPasses(own: Parameters<typeof rig.call>[1], path: string, note: string) {
  const answer = await rig.call(path, { method: 'POST', ...own })
  assert.ok(answer.status >= 400 && answer.status < 500, `${note}: ${answer.status} ${answer.text}`)
  assert.equal(rig.upstream.requests.length, 0, `${note}: nothing of it reached the upstream`)
}

const chatTail = '"messages":[{"role":"user","content":"x"}]}'

test('no spelling of a JSON body names a model beside the one that was judged', async () => {
  const cheap = '{"model":"cheap",'
  const json = { 'content-type': 'application/json' }
  for (const body of [
    `${cheap}"model":"dear",${chatTail}`,
    `${cheap}"mod\\u0065l":"dear",${chatTail}`,
    `${cheap}"Model":"dear",${chatTail}`,
    `{"MODEL":"dear",${cheap.slice(1)}${chatTail}`,
    `${cheap}"\\u017ftream":true,${chatTail}`,
    `${cheap}"Stream":true,${chatTail}`,
    `${cheap}"models":["dear"],${chatTail}`,
    `${cheap}"fallbacks":["dear"],${chatTail}`,
    `${cheap}"tools":[{"type":"image_generation","model":"dear"}],${chatTail}`,
    `\ufeff${cheap}${chatTail}`,
  ]) {
    await assertNothingPasses({ body, headers: json }, '/v1/chat/completions', body)
  }
  const head = Buffer.from('{"model":"cheap","mod')
  const tail = Buffer.from(`l":"dear",${chatTail}`)
  for (const bytes of [[0xc1, 0xa5], [0xff, 0x65], [0xed, 0xa0, 0x80, 0x65], [0xc3]]) {
    const body = Buffer.concat([head, Buffer.from(bytes), tail])
    await assertNothingPasses({ body, headers: json }, '/v1/chat/completions', bytes.join())
  }
  const wide = Buffer.from(`${cheap}${chatTail}`, 'utf16le')
  await assertNothingPasses({ body: wide, headers: json }, '/v1/chat/completions', 'UTF-16')
})

test('what reaches the provider is announced as plain JSON, whatever charset the caller told', async () => {
  const headers = { 'content-type': 'application/json; charset=utf-7' }
  const answer = await rig.call('/v1/chat/completions', { body: `{"model":"cheap",${chatTail}`, headers })
  assert.equal(answer.status, 200)
  assert.equal(rig.upstream.requests[0]?.header('content-type'), 'application/json')
})

const part = (disposition: string, value: string, more = ''): string =>
  `--b\r\nContent-Disposition: ${disposition}${more}\r\n\r\n${value}\r\n`
const named = (name: string, value: string): string => part(`form-data; name="${name}"`, value)
const form = { 'content-type': 'multipart/form-data; boundary=b' }
const path = '/v1/audio/transcriptions'
const file = part('form-data; name="file"; filename="a.wav"', 'RIFF', '\r\nContent-Type: audio/wav')

test('a form that parsers could read differently is refused whole', async () => {
  const cheap = named('model', 'cheap')
  for (const body of [
    `${cheap}${named('model', 'dear')}${file}--b--\r\n`,
    `${cheap}${part('form-data; name=model', 'dear')}--b--\r\n`,
    `${cheap}${named('Model', 'dear')}--b--\r\n`,
    `${cheap}${part("form-data; name*=utf-8''model", 'dear')}--b--\r\n`,
    `${cheap}${named('mod\\el', 'dear')}--b--\r\n`,
    `${part('form-data; xname="model"; name="other"', 'cheap')}${named('model', 'dear')}--b--\r\n`,
    `${part('form-data; name="model"; name="other"', 'cheap')}--b--\r\n`,
    `${part('form-data; name="model"; filename="m"', 'cheap')}--b--\r\n`,
    `${part('form-data; name="model"', 'cheap', '\r\nContent-Disposition: form-data; name="x"')}--b--\r\n`,
    `${part('form-data; name="model"', 'cheap', '\r\nContent-Transfer-Encoding: base64')}--b--\r\n`,
    `${part('form-data; name="model"', 'cheap', '\r\nContent-Type: text/plain; charset=utf-16')}--b--\r\n`,
    `${part('form-data;\r\n name="model"', 'cheap')}--b--\r\n`,
    `${named('prompt', `x--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ncheap\r\n`)}${named('model', 'dear')}--b--\r\n`,
    `${named('prompt', 'x\n--b\nContent-Disposition: form-data; name="model"\n\ndear')}${cheap}--b--\r\n`,
    `${cheap}--b--\r\n${named('model', 'dear')}--b--\r\n`,
    `preamble\r\n${cheap}--b--\r\n`,
    `\r\n${cheap}--b--\r\n`,
    `${cheap}--bb\r\nContent-Disposition: form-data; name="model"\r\n\r\ndear\r\n--b--\r\n`,
    `--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n--b--\r\n`,
    cheap,
    '',
  ]) {
    await assertNothingPasses({ body, headers: form }, path, body)
  }
  for (const contentType of [
    'multipart/form-data; boundary=x; boundary=b',
    'multipart/form-data; xboundary=b',
    'multipart/form-data',
    'multipart/mixed; boundary=b',
    'application/x-www-form-urlencoded',
  ]) {
    const headers = { 'content-type': contentType }
    await assertNothingPasses({ body: `${cheap}--b--\r\n`, headers }, path, contentType)
  }
})

test('ordinary forms pass byte by byte, with the model that was judged', async () => {
  const body = `${file}${named('model', 'cheap')}${named('timestamp_granularities[]', 'word')}--b--\r\n`
  assert.equal((await rig.call(path, { body, headers: form })).status, 200)
  assert.equal(rig.upstream.requests[0]?.body.toString(), body)
  const native = new FormData()
  native.set('model', 'cheap')
  native.set('file', new Blob([new Uint8Array(70_000)]), 'ü "q".wav')
  const encoded = new Response(native)
  const headers = { 'content-type': encoded.headers.get('content-type') ?? '' }
  const bytes = new Uint8Array(await encoded.arrayBuffer())
  assert.equal((await rig.call(path, { body: bytes, headers })).status, 200)
})

test('a key that may not use every model starts no batch, for nobody reads what is in it', async () => {
  const batch = { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' }
  await assertNothingPasses({ body: batch }, '/v1/batches', 'batch')
  allow(null)
  assert.equal((await rig.call('/v1/batches', { body: batch })).status, 200)
  allow(['cheap', 'flash', 'azure'])
})

test('a body cannot name another model than its path', async () => {
  const contents = [{ role: 'user', parts: [{ text: 'x' }] }]
  const at = '/v1beta/models/flash:generateContent'
  await assertNothingPasses({ body: { model: 'models/dear', contents } }, at, 'body model')
  assert.equal((await rig.call(at, { body: { model: 'models/flash', contents } })).status, 200)
  rig.upstream.clear()
  for (const model of [
    'dear',
    'models%2Fdear',
    'flash%2F..%2Fdear',
    'flash%3Fkey=1',
    'flash%00',
    'any%2Fx',
  ]) {
    await assertNothingPasses({ body: { contents } }, `/v1beta/models/${model}:generateContent`, model)
  }
})

test('a query cannot set what the gateway sets', async () => {
  for (const query of [
    'key=AIza',
    'api-version=2020-01-01',
    'API-Version=1',
    'a=1;key=2',
    'api%2Dkey=1',
    'access_token=t',
    'X-Goog-Api-Key=1',
    'a=%zz&%zz=1',
  ]) {
    await assertNothingPasses({ method: 'GET' }, `/v1/files?${query}`, query)
  }
  assert.equal((await rig.call('/v1/files?limit=2&after=file-1')).status, 200)
  assert.match(rig.upstream.requests[0]?.path ?? '', /files\?(?:.*&)?limit=2&after=file-1$/)
})
