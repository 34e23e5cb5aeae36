import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RouteCache } from '../../domain/routing.ts'
import type { KeySnapshot, RouteSnapshot, SnapshotConfig } from '../../domain/snapshot.ts'
import { compilePeppers, hashApiKey, mintApiKey } from '../../identity/index.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'
import { testLimit } from '../harness/test-limit.ts'
import { compilePlans, pipeline } from '../pipeline.ts'

const cache: RouteCache = { ttlMs: 60_000 }
const cached = (route: RouteSnapshot, own: RouteCache = cache): RouteSnapshot => ({
  ...route,
  policy: { ...route.policy, cache: own },
})

const rig = rigForTests((upstream) => ({
  deployments: [
    testDeployment({
      id: 'openai',
      providerId: 'openai',
      baseUrl: upstream.url,
      region: 'eu-west-1',
      secrets: { apiKey: 'sk-test-0001' },
    }),
    testDeployment({
      id: 'anthropic',
      providerId: 'anthropic',
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0002' },
    }),
    testDeployment({
      id: 'gemini',
      providerId: 'gemini',
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0003' },
    }),
  ],
  routes: [
    { ...cached(testRoute('gpt', ['openai'])), aliases: ['gpt-alias'] },
    cached(testRoute('claude', ['anthropic'])),
    cached(testRoute('gemini-pro', ['gemini'])),
    cached(testRoute('brief', ['openai']), { ttlMs: 50 }),
    cached(testRoute('small', ['openai']), { ttlMs: 60_000, maxEntryBytes: 100 }),
    testRoute('plain', ['openai']),
  ],
}))

let count = 0
/** A request that no other test has made. */
const fresh = (): object => {
  count += 1
  return { messages: [{ role: 'user', content: `sandbox: say=answer-${count}` }] }
}
const statusOf = (answer: { headers: Readonly<Record<string, unknown>> }) =>
  answer.headers['x-gatewright-cache']
const upstreamCalls = () => rig.upstream.requests.length

/** Put another key in force; the ways to call with it and to take it back. */
function addKey(own: Partial<KeySnapshot>) {
  const minted = mintApiKey('test')
  const current = compilePeppers(rig.started.config.peppers).get(1)
  if (current === undefined) throw new TypeError('no pepper')
  const secrets = [{ hash: hashApiKey(minted.text, current), pepperVersion: 1, expiresAt: null }]
  const key: KeySnapshot = { ...rig.started.key, keyId: minted.keyId, secrets, ...own }
  const send = (upsert: KeySnapshot[], remove: string[]) =>
    rig.started.gateway.apply({ type: 'keys', version: 1, reset: false, upsert, remove })
  send([key], [])
  return {
    chat: (body: object) => rig.chat(body, { authorization: `Bearer ${minted.text}` }),
    revoke: () => send([], [key.keyId]),
  }
}

/** Run `during` under another configuration. */
async function withConfig(own: Partial<SnapshotConfig>, during: () => Promise<void>): Promise<void> {
  const { gateway, config } = rig.started
  gateway.apply({ type: 'config', config: { ...config, ...own } })
  try {
    await during()
  } finally {
    gateway.apply({ type: 'config', config })
  }
}

test('the same request is answered again, at no cost, under an id of its own', async () => {
  const body = fresh()
  const first = await rig.chat(body)
  const again = await rig.chat(body)
  assert.deepEqual([statusOf(first), statusOf(again)], ['miss', 'hit'])
  assert.deepEqual([again.status, again.text], [200, first.text])
  assert.equal(again.headers['content-type'], first.headers['content-type'])
  assert.equal(again.headers['age'], '0')
  assert.equal(again.headers['x-gatewright-deployment'], 'openai')
  assert.notEqual(again.headers['x-request-id'], first.headers['x-request-id'])
  assert.equal(upstreamCalls(), 1)
  const [paid, free] = rig.started.records
  assert.ok((paid?.inputTokens ?? 0) > 0)
  assert.deepEqual(
    [free?.providerId, free?.attempts, free?.inputTokens, free?.outputTokens, free?.costMicroUsd],
    ['response-cache', 0, 0, 0, 0],
    'recorded, marked and free',
  )
})

test('never across tenants', async () => {
  const body = fresh()
  await rig.chat(body)
  const { config } = rig.started
  const organizationId = 'org_b'
  await withConfig(
    {
      deployments: [
        ...config.deployments,
        ...config.deployments.map((one) => ({ ...one, organizationId, id: `${one.id}-b` })),
      ],
      routes: [...config.routes, { ...cached(testRoute('gpt', ['openai-b'])), organizationId }],
      applications: [
        ...config.applications,
        ...config.applications.map((one) => ({ ...one, organizationId, id: 'app_b' })),
      ],
    },
    async () => {
      const stranger = addKey({ organizationId, applicationId: 'app_b' })
      assert.equal(statusOf(await stranger.chat(body)), 'miss')
      assert.equal(statusOf(await stranger.chat(body)), 'hit', 'its own answer')
      assert.equal(upstreamCalls(), 2)
    },
  )
})

test('nor across applications of one tenant, nor environments of keys; keys of one application share', async () => {
  const body = fresh()
  await rig.chat(body)
  const { config } = rig.started
  await withConfig(
    {
      applications: [...config.applications, ...config.applications.map((one) => ({ ...one, id: 'app_b' }))],
    },
    async () => {
      assert.equal(statusOf(await addKey({ applicationId: 'app_b' }).chat(body)), 'miss')
      assert.equal(statusOf(await addKey({ environment: 'live' }).chat(body)), 'miss')
      assert.equal(statusOf(await addKey({}).chat(body)), 'hit')
    },
  )
})

test('who may no longer ask gets nothing of what is kept', async () => {
  const body = fresh()
  const key = addKey({})
  await key.chat(body)
  assert.equal(statusOf(await key.chat(body)), 'hit')
  key.revoke()
  assert.equal((await key.chat(body)).status, 401)
  const grants = [{ productId: 'prd_a', models: ['claude'], operations: ['*'], planId: null }]
  const applications = rig.started.config.applications.map((one) => ({ ...one, grants }))
  await withConfig({ applications }, async () => {
    const refused = await rig.chat(body)
    assert.deepEqual([refused.status, statusOf(refused)], [404, undefined])
  })
  assert.equal(upstreamCalls(), 1)
})

test('only the same bytes are the same request', async () => {
  const body = fresh()
  await rig.chat(body)
  for (const other of [
    { ...body, temperature: 0 },
    { ...body, user: 'someone' },
    { ...body, stream: true },
    { ...body, model: 'gpt-alias' },
  ]) {
    assert.equal(statusOf(await rig.chat(other)), 'miss', JSON.stringify(other))
  }
  const spaced = JSON.stringify({ model: 'gpt', ...body }, null, 1)
  assert.equal(
    statusOf(
      await rig.call('/v1/chat/completions', {
        body: spaced,
        headers: { 'content-type': 'application/json' },
      }),
    ),
    'miss',
  )
  assert.equal(statusOf(await rig.chat(body)), 'hit')
})

test('headers that reach the provider are part of the request', async () => {
  const body = { model: 'claude', max_tokens: 10, ...fresh() }
  const ask = (headers: Record<string, string> = {}) => rig.call('/v1/messages', { body, headers })
  assert.equal(statusOf(await ask()), 'miss')
  assert.equal(statusOf(await ask({ 'anthropic-beta': 'context-1m' })), 'miss')
  assert.equal(statusOf(await ask({ 'x-trace': 'mine' })), 'hit', 'others are not')
})

test('Cache-Control of the caller is respected', async () => {
  const body = fresh()
  const ask = (control: string) => rig.chat(body, { 'cache-control': control })
  assert.equal(statusOf(await ask('no-store')), 'bypass')
  assert.equal(statusOf(await rig.chat(body)), 'miss', 'no-store kept nothing')
  assert.equal(statusOf(await ask('no-store')), 'bypass', 'nor does it give anything')
  assert.equal(statusOf(await ask('no-cache')), 'bypass')
  assert.equal(statusOf(await ask('max-age=0')), 'bypass')
  assert.equal(statusOf(await ask('max-age=later')), 'bypass', 'what cannot be read asks for a new answer')
  assert.equal(statusOf(await ask('private, max-age="60"')), 'hit')
  assert.equal(statusOf(await ask('Max-Age=60, NO-STORE')), 'bypass')
  await sleep(1050)
  assert.equal(statusOf(await ask('max-age=1')), 'miss', 'older than the caller wants')
  assert.equal((await ask('max-age=1')).headers['age'], '0')
  assert.equal(upstreamCalls(), 8)
})

test('Cache-Control of the provider’s answer is respected', async () => {
  const whole = '{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"content":"hi"}}]}'
  const events = `data: {"id":"1","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`
  const again = async (control: string, stream: boolean, waitMs = 0) => {
    const body = { ...fresh(), stream }
    const type = stream ? 'text/event-stream' : 'application/json'
    const headers = { 'content-type': type, 'cache-control': control }
    rig.upstream.failNext({ kind: 'status', status: 200, headers, body: stream ? events : whole })
    assert.equal(statusOf(await rig.chat(body)), 'miss')
    await sleep(waitMs)
    return statusOf(await rig.chat(body))
  }
  for (const stream of [false, true]) {
    for (const control of [
      'no-store',
      'Private',
      'max-age=60, no-store',
      'max-age=0',
      'max-age=soon',
      's-maxage=0',
    ])
      assert.equal(await again(control, stream), 'miss', `${control}, ${stream}`)
    for (const control of ['max-age=60', 'public', 'no-cache', 'max-age=0, s-maxage=60'])
      assert.equal(await again(control, stream), 'hit', `${control}, ${stream}`)
  }
  assert.equal(await again('max-age=1', false, 1050), 'miss', 'no longer than the provider allows')
})

test('an answer’s time ends', async () => {
  const body = { model: 'brief', ...fresh() }
  await rig.chat(body)
  assert.equal(statusOf(await rig.chat(body)), 'hit')
  await sleep(60)
  assert.equal(statusOf(await rig.chat(body)), 'miss')
})

test('answers over the route’s bound are not kept', async () => {
  const body = { model: 'small', ...fresh() }
  await rig.chat(body)
  assert.equal(statusOf(await rig.chat(body)), 'miss')
})

const streams: readonly (readonly [name: string, path: string, body: object])[] = [
  ['chat', '/v1/chat/completions', { model: 'gpt', stream: true }],
  ['responses', '/v1/responses', { model: 'gpt', stream: true }],
  ['messages', '/v1/messages', { model: 'claude', stream: true, max_tokens: 50 }],
  ['translated messages', '/v1/messages', { model: 'gpt', stream: true, max_tokens: 50 }],
  ['gemini', '/v1beta/models/gemini-pro:streamGenerateContent?alt=sse', {}],
]

for (const [name, path, own] of streams) {
  const bodyOf = (text: string): object => {
    if (name === 'gemini') return { contents: [{ role: 'user', parts: [{ text }] }] }
    return name === 'responses'
      ? { ...own, input: text }
      : { ...own, messages: [{ role: 'user', content: text }] }
  }

  test(`a stream is given again as a stream, event for event: ${name}`, async () => {
    const body = bodyOf(`sandbox: tokens=2${name.length}`)
    const first = await rig.call(path, { body })
    const again = await rig.call(path, { body })
    assert.deepEqual([statusOf(first), statusOf(again)], ['miss', 'hit'])
    assert.equal(again.text, first.text)
    assert.equal(again.headers['content-type'], first.headers['content-type'])
    assert.equal(again.headers['content-length'], undefined)
    assert.equal(upstreamCalls(), 1)
  })

  test(`a stream without its end is not kept: ${name}`, async () => {
    const body = bodyOf(`sandbox: tokens=3${name.length}`)
    rig.upstream.failNext({ kind: 'cut', afterBytes: 700 })
    await rig.call(path, { body }).catch(() => undefined)
    assert.equal(statusOf(await rig.call(path, { body })), 'miss')
  })
}

test('a stream that stops in order, but before its last word, is not kept', async () => {
  const delta =
    '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}'
  const done = delta.replace(
    '"delta":{"content":"a"},"finish_reason":null',
    '"delta":{},"finish_reason":"stop"',
  )
  const headers = { 'content-type': 'text/event-stream' }
  const ask = async (events: string[]): Promise<unknown> => {
    const body = { stream: true, ...fresh() }
    const text = events.map((event) => `data: ${event}\n\n`).join('')
    rig.upstream.failNext({ kind: 'status', status: 200, headers, body: text })
    await rig.chat(body).catch(() => undefined)
    return statusOf(await rig.chat(body))
  }
  assert.equal(await ask([delta, done, '[DONE]']), 'hit')
  assert.equal(await ask([delta]), 'miss')
  assert.equal(await ask([delta, '{"error":{"message":"overloaded"}}', '[DONE]']), 'miss')
})

test('comments that kept the caller waiting are not given again', async () => {
  await withConfig({ bounds: { ...rig.started.config.bounds, keepAliveCommentMs: 20 } }, async () => {
    const body = {
      stream: true,
      messages: [{ role: 'user', content: 'sandbox: delay=100ms\nsandbox: say=slow' }],
    }
    const first = await rig.chat(body)
    const again = await rig.chat(body)
    assert.match(first.text, /^: keep-alive/)
    assert.equal(statusOf(again), 'hit')
    assert.equal(again.text, first.text.replaceAll(': keep-alive\n\n', ''))
  })
})

test('errors, and answers that say that they are not done, are not kept', async () => {
  const answers = [
    { status: 500, body: '{"error":{"message":"no"}}' },
    { status: 400, body: '{"error":{"message":"no"}}' },
    { status: 200, body: '{"error":{"message":"no","code":502}}' },
    { status: 200, body: '{"id":"resp_1","object":"response","status":"queued"}' },
    { status: 200, body: '{"id":"resp_1","object":"response","status":"incomplete"}' },
    { status: 200, body: 'not json' },
  ]
  for (const answer of answers) {
    const body = fresh()
    rig.upstream.failNext({ kind: 'status', ...answer })
    await rig.chat(body)
    assert.equal(statusOf(await rig.chat(body)), 'miss', answer.body)
  }
})

test('requests that refer to what a provider keeps are not answered from here', async () => {
  for (const own of [{ previous_response_id: 'resp_1' }, { conversation: 'conv_1' }, { background: true }]) {
    const body = { model: 'gpt', input: 'sandbox: say=hi', ...own }
    assert.equal(statusOf(await rig.call('/v1/responses', { body })), 'bypass', JSON.stringify(own))
  }
})

test('embeddings are kept, too', async () => {
  const body = { model: 'gpt', input: 'one of a kind' }
  const first = await rig.call('/v1/embeddings', { body })
  const again = await rig.call('/v1/embeddings', { body })
  assert.deepEqual([statusOf(first), statusOf(again), again.text], ['miss', 'hit', first.text])
})

test('an answer from a place where requests may no longer go is not given again', async () => {
  const { config } = rig.started
  const moved = (change: object) =>
    config.deployments.map((one) => (one.id === 'openai' ? { ...one, ...change } : one))
  const body = fresh()
  await rig.chat(body)
  await withConfig({ deployments: moved({ region: 'us-east-1' }) }, async () => {
    assert.equal(statusOf(await rig.chat(body)), 'miss', 'the deployment has moved')
  })
  const outside = config.routes.map((one) =>
    one.name === 'gpt'
      ? {
          ...one,
          targets: testRoute('gpt', ['openai', 'anthropic']).targets,
          policy: { ...one.policy, residency: ['us-*'] },
        }
      : one,
  )
  const own = fresh()
  await rig.chat(own)
  await withConfig({ routes: outside }, async () => {
    assert.notEqual(statusOf(await rig.chat(own)), 'hit', 'the route’s residency has changed')
  })
  assert.equal(statusOf(await rig.chat(own)), 'hit')
})

test('of the limits, a kept answer counts as a request; its tokens come back', async () => {
  const window = { kind: 'rolling', ms: 86_400_000, burst: null } as const
  const limits = [
    testLimit({ id: 'cached-requests', meter: 'requests', amount: 3, window }),
    testLimit({ id: 'cached-tokens', meter: 'total-tokens', amount: 10_000, window }),
  ]
  await withConfig({ limits }, async () => {
    const body = { max_tokens: 100, ...fresh() }
    await rig.chat(body)
    const again = await rig.chat(body)
    const last = await rig.chat(body)
    assert.deepEqual([statusOf(again), statusOf(last)], ['hit', 'hit'])
    assert.equal(last.headers['x-ratelimit-remaining-requests'], '0')
    const refused = await rig.chat(body)
    assert.deepEqual([refused.status, statusOf(refused)], [429, undefined])
    const left = (answer: typeof last) => Number(answer.headers['x-ratelimit-remaining-tokens'])
    assert.ok(left(refused) > left(last), 'what the last one had put aside is there again')
    assert.ok(left(refused) >= 10_000 - 100, 'only the first answer was charged')
  })
})

test('off, nothing is said and nothing is run', async () => {
  const body = { model: 'plain', ...fresh() }
  await rig.chat(body)
  const again = await rig.chat(body)
  assert.deepEqual([again.status, statusOf(again)], [200, undefined])
  assert.equal(upstreamCalls(), 2)
  const off = compilePlans(pipeline, {
    contentLog: null,
    limits: { rules: null, addresses: null },
    bounds: { ...rig.started.config.bounds, loopDelayMs: 0 },
    keepsResponses: false,
  } as unknown as Parameters<typeof compilePlans>[1])
  for (const { request, finish } of Object.values(off.byClass))
    assert.ok(![...request, ...finish].some((row) => row.only === 'response-cache'))
})
