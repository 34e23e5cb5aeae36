import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providerSecret, rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'

const rig = rigForTests((upstream) => {
  const at = (id: string, providerId: string) =>
    testDeployment({ id, providerId, baseUrl: upstream.url, secrets: { apiKey: providerSecret } })
  return {
    deployments: [at('openai', 'openai'), at('anthropic', 'anthropic'), at('gemini', 'gemini')],
    routes: [
      testRoute('gpt', ['openai'], 'gpt-4o'),
      { ...testRoute('plain', ['openai']), aliases: ['another-name'] },
      testRoute('openai/*', ['openai']),
      testRoute('gpt-*', ['openai']),
      testRoute('claude', ['anthropic']),
      testRoute('gemini-pro', ['gemini']),
    ],
  }
})

const sent = (): Buffer => rig.upstream.requests.at(-1)?.body ?? Buffer.alloc(0)
const json = (path: string, body: string, headers = {}) => rig.call(path, { body, headers })

// Spacing, escapes, order, big numbers and unknown fields are all the caller's business.
const odd = (model: string): string =>
  `{ "z":1.0000000000000000001,\t"messages":[{"content":"caf\\u00e9 \\"q\\" ☕","role":"user"}],\n  "model" : ${JSON.stringify(model)} , "future_field":{"a":[1,2,{}]} }  `

test('same dialect: every byte passes as it came where the model keeps its name', async () => {
  assert.equal((await json('/v1/chat/completions', odd('plain'))).status, 200)
  assert.equal(sent().toString(), odd('plain'))
})

test('same dialect: with another model name, the name alone is edited', async () => {
  assert.equal((await json('/v1/chat/completions', odd('gpt'))).status, 200)
  assert.equal(sent().toString(), odd('gpt-4o'))
  assert.equal((await json('/v1/chat/completions', odd('another-name'))).status, 200)
  assert.equal(sent().toString(), odd('plain'), 'an alias becomes the name of its route')
})

test('a prefix that ends in a slash is not part of the model name; another prefix is', async () => {
  await json('/v1/chat/completions', odd('openai/o3-mini'))
  assert.equal(sent().toString(), odd('o3-mini'))
  await json('/v1/chat/completions', odd('gpt-4.1'))
  assert.equal(sent().toString(), odd('gpt-4.1'))
  assert.equal((await json('/v1/chat/completions', odd('openai/'))).status, 404, 'a prefix alone is no model')
})

test('a stream gets include_usage where the vendor knows it, beside what the caller set, and nothing else', async () => {
  const body = (options: string): string => `{"model":"plain","stream": true,"messages":[]${options}}`
  await json('/v1/chat/completions', body(''))
  assert.equal(sent().toString(), body(',"stream_options":{"include_usage":true}'))
  await json('/v1/chat/completions', body(',"stream_options":{"include_obfuscation":false}'))
  assert.equal(
    sent().toString(),
    body(',"stream_options":{"include_obfuscation":false,"include_usage":true}'),
  )
  await json('/v1/chat/completions', body(',"stream_options": { "include_usage" : true }'))
  assert.equal(sent().toString(), body(',"stream_options": { "include_usage" : true }'))
})

test('messages, responses, embeddings and Gemini pass untouched to their own vendors', async () => {
  const cases: [string, string][] = [
    ['/v1/messages', '{"max_tokens":9, "model":"claude","messages":[{"role":"user","content":"hi"}] }'],
    ['/v1/responses', '{"model":"plain" ,"input":"hi"}'],
    ['/v1/embeddings', '{"input":["a", "b"], "model":"plain"}'],
    ['/v1beta/models/gemini-pro:generateContent', '{"contents":[ {"parts":[{"text":"hi"}],"role":"user"}]}'],
  ]
  for (const [path, body] of cases) {
    assert.equal((await json(path, body)).status, 200, path)
    assert.equal(sent().toString(), body, path)
  }
})

test("the caller's headers stay here, but for those that the vendor's row lets through", async () => {
  await json('/v1/chat/completions', odd('plain'), {
    'openai-organization': 'org-1',
    'openai-beta': 'assistants=v2',
    'anthropic-beta': 'not for this vendor',
    'x-custom': 'x',
    cookie: 'session=1',
    'x-forwarded-for': '1.2.3.4',
    'accept-encoding': 'gzip',
    'user-agent': 'caller/1.0',
    'x-stainless-lang': 'js',
  })
  const received = rig.upstream.requests.at(-1)
  const names = (received?.rawHeaders ?? []).filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
  assert.deepEqual(names.sort(), [
    'accept',
    'authorization',
    'content-length',
    'content-type',
    'host',
    'openai-beta',
    'openai-organization',
    'user-agent',
  ])
  assert.equal(received?.header('authorization'), `Bearer ${providerSecret}`)
  assert.equal(received?.header('user-agent'), 'gatewright')
})

test("Anthropic's headers reach Anthropic; without the caller's version the row's stands", async () => {
  const body = '{"max_tokens":9,"model":"claude","messages":[{"role":"user","content":"hi"}]}'
  await json('/v1/messages', body, { 'anthropic-beta': 'prompt-caching-2024-07-31' })
  const received = rig.upstream.requests.at(-1)
  assert.equal(received?.header('anthropic-beta'), 'prompt-caching-2024-07-31')
  assert.equal(received?.header('anthropic-version'), '2023-06-01')
  assert.equal(received?.header('x-api-key'), providerSecret)
  await json('/v1/messages', body, { 'anthropic-version': '2024-10-22' })
  assert.equal(rig.upstream.requests.at(-1)?.header('anthropic-version'), '2024-10-22')
})

test("of the provider's headers those that callers read pass, all others stay", async () => {
  const own = {
    'content-type': 'application/json',
    'x-ratelimit-remaining-tokens': '41',
    'retry-after-ms': '5',
    'openai-processing-ms': '12',
  }
  const inner = {
    'set-cookie': 'a=b',
    'openai-organization': 'internal-org',
    server: 'x',
    'cf-ray': '1',
    'x-request-id': 'up',
  }
  rig.upstream.failNext({
    kind: 'status',
    status: 200,
    headers: { ...own, ...inner },
    body: '{"choices":[]}',
  })
  const { headers } = await json('/v1/chat/completions', odd('plain'))
  for (const [name, value] of Object.entries(own)) assert.equal(headers[name], value, name)
  for (const name of ['set-cookie', 'openai-organization', 'server', 'cf-ray'])
    assert.equal(headers[name], undefined, name)
  assert.match(String(headers['x-request-id']), /^req_/)
  assert.equal(headers['x-request-id'], headers['x-gatewright-request-id'])
})

test('another dialect: an error of the translation names the field as the caller wrote it', async () => {
  const cases: [string, object, RegExp][] = [
    ['/v1/chat/completions', { model: 'claude', messages: [{ role: 'user', content: 'x' }], n: 3 }, /\bn\b/],
    [
      '/v1/chat/completions',
      {
        model: 'claude',
        messages: [
          { role: 'user', content: 'x' },
          { role: 'nobody', content: 'y' },
        ],
      },
      /messages\[1\]/,
    ],
    [
      '/v1/messages',
      { model: 'gemini-pro', max_tokens: 5, messages: [{ role: 'user', content: 7 }] },
      /messages\[0\]\.content/,
    ],
  ]
  for (const [path, body, field] of cases) {
    const answer = await rig.call(path, { body })
    assert.equal(answer.status, 400, path)
    assert.match(answer.message, field)
    assert.doesNotMatch(answer.message, /contents|generationConfig/, 'not in the words of the target')
  }
  assert.equal(rig.upstream.requests.length, 0)
})

test('a documented downgrade is visible in the headers', async () => {
  const answer = await rig.chat({ model: 'gemini-pro', user: 'u-1' })
  assert.equal(answer.status, 200)
  assert.match(String(answer.headers['x-gatewright-downgrades']), /\buser\b/)
  assert.equal((await rig.chat({ model: 'plain' })).headers['x-gatewright-downgrades'], undefined)
})

test('an operation that no deployment of the model serves is refused by name', async () => {
  const answer = await rig.call('/v1/embeddings', { body: { model: 'claude', input: 'x' } })
  assert.deepEqual([answer.status, answer.faultCode], [400, 'dialect.operation-not-served'])
})
