import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
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
  routes: [testRoute('gpt', ['openai'])],
  bounds: { bodyBytes: 4096, uploadBytes: 65_536, jsonDepth: 8, jsonKeys: 32 },
}))

const path = '/v1/chat/completions'
const messages = [{ role: 'user', content: 'hi' }]
const chat = (own: object): object => ({ model: 'gpt', messages, ...own })

async function assertRefused(
  own: Parameters<typeof rig.call>[1],
  expected: { status: number; code: string; at?: string },
): Promise<void> {
  const answer = await rig.call(expected.at ?? path, own)
  assert.deepEqual([answer.status, answer.faultCode], [expected.status, expected.code])
  assert.equal(rig.upstream.requests.length, 0, 'nothing of it reached the upstream')
}

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 512) yield bytes.subarray(at, at + 512)
}

test('a body beyond the bound is refused, announced or chunked', async () => {
  const body = Buffer.from(JSON.stringify(chat({ user: 'x'.repeat(5000) })))
  await assertRefused({ body }, { status: 413, code: 'request.body-too-large' })
  await assertRefused({ body: inChunks(body) }, { status: 413, code: 'request.body-too-large' })
})

test('a body at the bound passes, chunked too', async () => {
  const empty = JSON.stringify(chat({ user: '' })).length
  const body = Buffer.from(JSON.stringify(chat({ user: 'x'.repeat(4096 - empty) })))
  assert.equal((await rig.call(path, { body })).status, 200)
  assert.equal((await rig.call(path, { body: inChunks(body) })).status, 200)
  assert.deepEqual(rig.upstream.requests[1]?.body, body)
})

test('depth and number of keys are bounded', async () => {
  const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const withValue = (value: string): string => `{"model":"gpt","x":${value}}`
  await assertRefused({ body: withValue(deep(8)) }, { status: 400, code: 'request.json-too-deep' })
  const keys = Array.from({ length: 33 }, (_, at) => [`k${at}`, 1])
  const code = 'request.json-too-many-keys'
  await assertRefused({ body: chat({ metadata: Object.fromEntries(keys) }) }, { status: 400, code })
  await assertRefused({ body: withValue(`[${'{"a":1},'.repeat(40)}0]`) }, { status: 400, code })
})

test('a field that stands twice is refused by name, however it is spelled', async () => {
  for (const second of ['"model"', '"\\u006dodel"', '"mod\\u0065l"']) {
    const answer = await rig.call(path, { body: `{"model":"gpt","messages":[],${second}:"other"}` })
    assert.deepEqual([answer.status, answer.faultCode], [400, 'request.duplicate-field'])
    assert.match(answer.message, /The field model appears twice/)
  }
})

test('what is not one JSON object is refused', async () => {
  for (const body of [
    '',
    ' ',
    '{',
    '[]',
    '"x"',
    '1',
    'null',
    '{"model":"gpt"} x',
    '{"model":"gpt",}',
    '{"a":1}{"b":2}',
  ]) {
    const answer = await rig.call(path, {
      body,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    assert.deepEqual([answer.status, answer.faultCode], [400, 'request.malformed-json'], body)
  }
})

test('compressed bodies are refused: their size is only a promise', async () => {
  for (const encoding of ['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip']) {
    const headers = { 'content-encoding': encoding, 'content-type': 'application/json' }
    const body = gzipSync(JSON.stringify(chat({})))
    await assertRefused({ body, headers }, { status: 415, code: 'request.unsupported-encoding' })
  }
  assert.equal(
    (await rig.call(path, { body: chat({}), headers: { 'content-encoding': 'identity' } })).status,
    200,
  )
})

test('other content types than JSON are refused where JSON is expected', async () => {
  for (const contentType of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ]) {
    await assertRefused(
      { body: JSON.stringify(chat({})), headers: { 'content-type': contentType } },
      { status: 415, code: 'request.unsupported-content-type' },
    )
  }
  for (const contentType of [
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/vnd.api+json',
  ]) {
    const answer = await rig.call(path, {
      body: JSON.stringify(chat({})),
      headers: { 'content-type': contentType },
    })
    assert.equal(answer.status, 200, contentType)
  }
})

test('model and stream have their types, and the error names the field', async () => {
  const cases: [object, string, string][] = [
    [{ messages }, 'request.missing-field', 'model'],
    [chat({ model: '' }), 'request.invalid-field', 'model'],
    [chat({ model: 7 }), 'request.invalid-field', 'model'],
    [chat({ model: 'x'.repeat(201) }), 'request.invalid-field', 'model'],
    [chat({ stream: 'true' }), 'request.invalid-field', 'stream'],
    [chat({ stream: 1 }), 'request.invalid-field', 'stream'],
  ]
  for (const [body, code, param] of cases) {
    const answer = await rig.call(path, { body })
    assert.deepEqual([answer.status, answer.faultCode], [400, code])
    assert.equal((answer.json()['error'] as { param: string }).param, param)
  }
})

test('an upload beyond its bound is refused as too large, announced or chunked', async () => {
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const body = Buffer.alloc(70_000, 'x')
  await assertRefused({ body, headers }, { status: 413, code: 'request.body-too-large', at: '/v1/files' })
  const chunked = await rig.call('/v1/files', { body: inChunks(body), headers })
  assert.deepEqual([chunked.status, chunked.faultCode], [413, 'request.body-too-large'])
})
