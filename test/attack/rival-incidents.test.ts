/**
 * Public incidents and standing complaints of other LLM gateways, each tried on ours. The numbers are those of the
 * survey that this suite opens with; later parts add the incidents that they can meet.
 */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { request } from 'undici'
import { createEgressGuard } from '../../src/egress/index.ts'
import type { DnsSource } from '../../src/egress/resolve-egress.ts'
import {
  type StartedGateway,
  startGateway,
  testDeployment,
  testRoute,
} from '../../src/gateway/harness/start-gateway.ts'
import { checkSnapshot } from '../../src/gateway/index.ts'
import { Fault } from '../../src/kernel/fault.ts'
import { createCatalogue } from '../../src/providers/index.ts'
import { startUpstreamServer, type UpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import { startProduct } from '../journeys/product.ts'

const secret = 'sk-provider-secret-7f3a9c0d1e2b'
let upstream: UpstreamServer
let started: StartedGateway

before(async () => {
  upstream = await startUpstreamServer()
  started = await startGateway({
    deployments: [
      testDeployment({
        id: 'openai',
        providerId: 'openai',
        baseUrl: upstream.url,
        secrets: { apiKey: secret },
      }),
      testDeployment({
        id: 'gemini',
        providerId: 'gemini',
        baseUrl: upstream.url,
        secrets: { apiKey: secret },
      }),
      testDeployment({
        id: 'anthropic',
        providerId: 'anthropic',
        baseUrl: upstream.url,
        secrets: { apiKey: secret },
      }),
    ],
    routes: [
      testRoute('gpt', ['openai'], 'gpt-4o'),
      testRoute('gemini-pro', ['gemini']),
      testRoute('claude', ['anthropic']),
    ],
    bounds: { keepAliveCommentMs: 100 },
  })
})
after(async () => {
  await started.stop()
  await upstream.close()
})
beforeEach(() => {
  upstream.clear()
  started.forgetHealth()
})

const chat = (content: string, own: object = {}): string =>
  JSON.stringify({ model: 'gpt', messages: [{ role: 'user', content }], ...own })

function post(body: string, headers: Record<string, string> = {}, path = '/v1/chat/completions') {
  return request(`${started.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${started.apiKey}`, ...headers },
    body,
  })
}

test('2: SQL in the bearer token is junk by checksum, before any look-up', async () => {
  for (const token of [
    "' OR '1'='1",
    "x' UNION SELECT * FROM keys--",
    `${started.apiKey}' OR 1=1--`,
    `gwr_test_${"'".repeat(12)}_x_y`,
  ]) {
    const response = await post(chat('x'), { authorization: `Bearer ${token}` })
    assert.equal(response.statusCode, 401)
    assert.doesNotMatch(await response.body.text(), /SQL|syntax|SELECT/i)
  }
  assert.equal(upstream.requests.length, 0)
})

test('3: keys are compared whole: a long common prefix opens nothing', async () => {
  const parts = started.apiKey.split('_')
  const body = parts[3] ?? ''
  const swapped = `${body.slice(0, -1)}${body.endsWith('A') ? 'B' : 'A'}`
  for (const forged of [
    [...parts.slice(0, 3), swapped, parts[4]].join('_'),
    started.apiKey.slice(0, -1),
    `${started.apiKey}0`,
  ]) {
    assert.equal((await post(chat('x'), { authorization: `Bearer ${forged}` })).statusCode, 401)
  }
  assert.equal((await post(chat('x'))).statusCode, 200)
})

test('3: a token that may read does not make itself, or another, mightier; nor does a key of the data plane', async () => {
  const product = await startProduct()
  const ask = (token: string, path: string, body?: object) =>
    request(`${product.control}/api/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    })
  const asked = { name: 'look', scopes: ['read'] }
  const made = await ask(product.adminToken, '/admin-tokens', asked)
  assert.equal(made.statusCode, 201)
  const { secret: reading } = (await made.body.json()) as { secret: string }
  assert.equal((await ask(reading, '/organizations')).statusCode, 200)
  for (const token of [reading, product.apiKey]) {
    const refusal = token === reading ? 403 : 401
    for (const [path, body] of [
      ['/admin-tokens', { name: 'more', scopes: ['admin'] }],
      ['/organizations', { slug: 'mine' }],
      ['/config/apply', { document: 'organizations: [{ slug: mine }]' }],
    ] as const) {
      const response = await ask(token, path, body)
      assert.equal(response.statusCode, refusal, path)
      await response.body.dump()
    }
  }
  await product.stop()
})

test('3: hashes are no passwords: what the gateway stores of a key opens nothing, and is shown nowhere', async () => {
  const product = await startProduct()
  const keys = await request(`${product.control}/api/v1/organizations/default/keys`, {
    headers: { authorization: `Bearer ${product.adminToken}` },
  })
  const { items } = (await keys.body.json()) as { items: readonly { keyId: string }[] }
  assert.ok(items.length > 0)
  assert.doesNotMatch(JSON.stringify(items), /"(?:hash|secret|secrets|pepperVersion)"/)
  await product.stop()

  const [{ hash = '' } = {}] = started.key.secrets
  assert.notEqual(hash, '')
  const parts = started.apiKey.split('_')
  for (const token of [hash, [...parts.slice(0, 3), hash, parts[4]].join('_'), `gwr_live_${hash}`]) {
    assert.equal((await post(chat('x'), { authorization: `Bearer ${token}` })).statusCode, 401)
  }
})

test('4: an unsigned or unverified JWT opens nothing', async () => {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: 'admin', iss: 'https://issuer.example', exp: 4_000_000_000 }
  for (const header of [
    { alg: 'none' },
    { alg: 'HS256' },
    { alg: 'RS256', jku: 'https://evil.example/keys' },
  ]) {
    const token = `${encode(header)}.${encode(claims)}.${header.alg === 'none' ? '' : 'c2ln'}`
    assert.equal((await post(chat('x'), { authorization: `Bearer ${token}` })).statusCode, 401)
  }
})

test('6: no header, path or body of a caller chooses the host of the upstream', async () => {
  const evil = await startUpstreamServer()
  const headers = {
    'x-portkey-custom-host': evil.url,
    'x-portkey-config': JSON.stringify({ custom_host: evil.url }),
    'x-forwarded-host': `127.0.0.1:${evil.port}`,
    'x-original-url': `${evil.url}/v1`,
    'api-base': evil.url,
  }
  const body = chat('x', { base_url: evil.url, api_base: evil.url })
  assert.equal((await post(body, headers)).statusCode, 200)
  for (const path of [
    `/v1/proxy/${evil.url}`,
    `//127.0.0.1:${evil.port}/v1/chat/completions`,
    '/v1/files/..%2f..%2fadmin',
    '/v1/files/../../x',
  ]) {
    assert.ok((await post(body, headers, path)).statusCode >= 400)
  }
  upstream.failNext({ kind: 'status', status: 307, headers: { location: `${evil.url}/v1/chat/completions` } })
  const redirected = await post(chat('x'))
  assert.equal(redirected.statusCode, 502)
  assert.match(await redirected.body.text(), /upstream\.redirect/)
  assert.equal(evil.requests.length, 0)
  await evil.close()
})

test('6: a name that answers differently the second time (DNS rebinding) leads to no address that was not checked', () => {
  let address = '8.8.8.8'
  let at = 0
  const clock = { now: () => at, monotonic: () => at }
  const dns: DnsSource = {
    resolve: (_host, family, done) => done(null, family === 4 ? [{ address, ttl: 0 }] : []),
    lookup: (_host, done) => done(null, [{ address, ttl: 0 }]),
  }
  const guard = createEgressGuard({ dns, clock })
  const answers: string[] = []
  const ask = () =>
    guard.resolve('rebind.example', { allowPrivateNetwork: false }, (failure, addresses) =>
      answers.push(failure?.kind ?? addresses.map((each) => each.address).join()),
    )
  ask()
  for (const inner of ['127.0.0.1', '169.254.169.254', '10.0.0.1']) {
    address = inner
    ask()
    at += 2000
    ask()
  }
  assert.equal(answers[0], '8.8.8.8')
  assert.ok(
    answers.slice(1).every((answer) => answer === '8.8.8.8' || answer === 'egress-denied'),
    'within its pin the address that was checked, and then none',
  )
  assert.equal(answers.at(-1), 'egress-denied')
})

test('6: a setting that would end the host early (`resource=evil#`) is refused before it is stored', () => {
  const parts = { catalogue: createCatalogue(), auth: { now: Date.now, fetchToken: () => assert.fail() } }
  const check = (resource: string) => {
    const azure = {
      id: 'azure',
      providerId: 'azure-openai',
      settings: { resource },
      secrets: { apiKey: secret },
    }
    const deployments = [testDeployment({ ...azure, allowPrivateNetwork: false })]
    checkSnapshot({ ...started.config, deployments, routes: [testRoute('gpt', ['azure'])] }, parts)
  }
  check('ours')
  const ends = [
    'evil.example#',
    'evil.example/',
    'evil.example?',
    'a@evil.example',
    'evil.example\\',
    'a:1',
    '../x',
    'a b',
  ]
  for (const resource of ends) assert.throws(() => check(resource), Fault, resource)
})

test('6: an absolute-form target is refused', async () => {
  const { port } = new URL(started.url)
  const answer = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('close', () => resolve(text))
    socket.write(`GET ${upstream.url}/v1/models HTTP/1.1\r\nhost: evil\r\n\r\n`)
  })
  assert.match(answer, /^HTTP\/1\.1 400/)
})

test('7: a provider that echoes its credential in headers or errors gives it to nobody', async () => {
  for (const [path, model] of [
    ['/v1/chat/completions', 'gpt'],
    ['/v1beta/models/gemini-pro:generateContent', 'gemini-pro'],
  ] as const) {
    for (const status of [200, 400, 401, 500]) {
      upstream.failNext({
        kind: 'status',
        status,
        headers: {
          'x-goog-api-key': secret,
          authorization: `Bearer ${secret}`,
          'set-cookie': `k=${secret}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ error: { message: `Incorrect API key provided: ${secret}` } }),
      })
      const body = JSON.stringify({ model, messages: [], contents: [] })
      started.forgetHealth()
      const response = await post(body, {}, path)
      if (status !== 200) assert.doesNotMatch(await response.body.text(), new RegExp(secret))
      else await response.body.dump()
      assert.doesNotMatch(JSON.stringify(response.headers), new RegExp(secret))
    }
  }
})

test('8: provider keys reach no note, record or URL', async () => {
  upstream.failNext({ kind: 'status', status: 500, body: `boom ${secret}` })
  await (
    await post(
      JSON.stringify({ contents: [{ parts: [{ text: 'x' }] }] }),
      {},
      '/v1beta/models/gemini-pro:generateContent',
    )
  ).body.dump()
  upstream.failNext({ kind: 'reset' })
  await (await post(chat('x'))).body.dump()
  assert.doesNotMatch(JSON.stringify([started.notes, started.records]), new RegExp(secret))
  assert.ok(
    upstream.requests.every((each) => !each.path.includes(secret)),
    'no key in a query string',
  )
})

test('8: a key of the caller that is wrong, or stands where none belongs, comes back in no answer and no note', async () => {
  const mistaken = 'sk-callers-own-secret-0123456789abcdef'
  const errors: string[] = []
  for (const response of [
    await post(chat('x'), { authorization: `Bearer ${mistaken}` }),
    await post(chat('x'), { authorization: `Bearer ${started.apiKey.slice(0, -1)}` }),
    await post(chat('x'), { authorization: '', 'x-api-key': mistaken }),
    await post(chat('x'), {}, `/v1beta/models/gemini-pro:nothing?key=${mistaken}`),
  ]) {
    assert.ok(response.statusCode >= 400)
    errors.push(JSON.stringify(response.headers), await response.body.text())
  }
  const told = `${errors.join()}${JSON.stringify([started.notes, started.records])}`
  assert.ok(!told.includes(mistaken))
  assert.ok(!told.includes(started.apiKey.slice(0, -1)))
})

test("8: the caller's key, which a provider echoes, was never sent to it", async () => {
  upstream.failNext({ kind: 'status', status: 401, body: 'unauthorized' })
  await (await post(chat('x'))).body.dump()
  const [sent] = upstream.requests
  assert.ok(sent !== undefined)
  assert.ok(!JSON.stringify([sent.rawHeaders, sent.path]).includes(started.apiKey))
})

test('10: the admin API and every operation of the data plane ask who calls, from the first start', async () => {
  const product = await startProduct()
  for (const path of [
    '/organizations',
    '/organizations/default/keys',
    '/admin-tokens',
    '/config/export',
    '/organizations/default/deployments',
  ]) {
    const response = await request(`${product.control}/api/v1${path}`)
    assert.equal(response.statusCode, 401, path)
    await response.body.dump()
  }
  for (const path of ['/v1/models', '/v1/files', '/v1/batches']) {
    assert.equal((await request(`${product.http}${path}`)).statusCode, 401, path)
  }
  await product.stop()
})

test('17: a caller who hangs up in mid-stream is still metered, by estimate; an explicit zero stays zero', async () => {
  started.records.length = 0
  const response = await post(chat('sandbox: chunk-delay=20ms\nsandbox: tokens=300', { stream: true }))
  let received = 0
  for await (const chunk of response.body) {
    received += chunk.length
    if (received > 2000) break
  }
  await upstream.until(() => upstream.requests.at(-1)?.disconnected === true, 3000)
  const record = started.records.at(-1)
  assert.equal(record?.outcome, 'disconnected')
  assert.ok((record?.outputTokens ?? 0) > 0 && (record?.inputTokens ?? 0) > 0)
  assert.equal(record?.estimated, true)

  const zero = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
  upstream.failNext({
    kind: 'status',
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      id: 'x',
      choices: [{ index: 0, message: { role: 'assistant', content: 'long text' } }],
      usage: zero,
    }),
  })
  await (await post(chat('a long prompt'))).body.dump()
  const zeroed = started.records.at(-1)
  assert.deepEqual(
    [zeroed?.inputTokens, zeroed?.outputTokens, zeroed?.estimated, zeroed?.costMicroUsd],
    [0, 0, false, 0],
  )
})

test('24: tokens arrive as the provider sends them, comments keep a slow start alive, and events keep their order', async () => {
  const began = performance.now()
  const response = await post(
    chat('sandbox: delay=350ms\nsandbox: chunk-delay=60ms\nsandbox: say=one two three four five', {
      stream: true,
    }),
  )
  const arrivals: { at: number; text: string }[] = []
  for await (const chunk of response.body)
    arrivals.push({ at: performance.now() - began, text: String(chunk) })
  assert.match(arrivals[0]?.text ?? '', /^: keep-alive/)
  assert.ok((arrivals[0]?.at ?? 0) < 300, 'the first comment comes before the first token')
  const tokens = arrivals.filter(({ text }) => text.includes('"content":"'))
  assert.ok(tokens.length >= 4, 'chunks are not gathered')
  const text = arrivals.map((arrival) => arrival.text).join('')
  assert.ok(text.endsWith('data: [DONE]\n\n'))

  const claude = await post(
    JSON.stringify({
      model: 'gpt',
      max_tokens: 100,
      stream: true,
      messages: [{ role: 'user', content: 'sandbox: say=hi' }],
    }),
    {},
    '/v1/messages',
  )
  const events = [...(await claude.body.text()).matchAll(/^event: (\S+)$/gm)].map((match) => match[1])
  assert.deepEqual(events.filter((event) => event !== 'ping').slice(0, 3), [
    'message_start',
    'content_block_start',
    'content_block_delta',
  ])
  assert.deepEqual(events.slice(-3), ['content_block_stop', 'message_delta', 'message_stop'])
})
