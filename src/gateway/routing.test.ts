/** What a route's policy and the past of its targets do to an exchange, on real sockets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '../../test/fixtures/upstream/upstream-server.ts'
import type { RoutePolicy } from '../domain/routing.ts'
import type { DeploymentSnapshot, RouteSnapshot } from '../domain/snapshot.ts'
import { rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute, testTimeouts } from './harness/start-gateway.ts'
import { testLimit } from './harness/test-limit.ts'

/** Route → policy and number of targets. Each route has deployments of its own: `<route>-0`, `<route>-1` … */
const routes: Readonly<Record<string, readonly [RoutePolicy, number]>> = {
  retired: [{}, 2],
  exhausted: [{}, 2],
  framed: [{}, 1],
  cooling: [{}, 2],
  'cooling-alone': [{}, 1],
  breaking: [{ breaker: { openMs: 150 } }, 1],
  retrying: [{ breaker: null, retry: { rounds: 2, backoffMs: 20, maxCooldownMs: 0 } }, 1],
  frugal: [{ breaker: null, retry: { rounds: 5, backoffMs: 1, budgetPercent: 0 } }, 1],
  guarded: [{ breaker: null, firstContentMs: 200, retry: { maxCooldownMs: 0 } }, 2],
  hedged: [{ hedge: { maxCostMicroUsd: 1_000_000, maxPercent: 50, minDelayMs: 40 } }, 2],
  'hedged-poor': [{ hedge: { maxCostMicroUsd: 1, minDelayMs: 40 } }, 2],
  'hedged-frugal': [{ hedge: { maxCostMicroUsd: 2000, maxPercent: 50, minDelayMs: 40 } }, 2],
  sticky: [{ sticky: true }, 4],
  full: [{ concurrency: { min: 1, max: 1 } }, 2],
  patient: [{ concurrency: { min: 1, max: 1, maxWaitMs: 400 } }, 1],
  european: [{ residency: ['eu-*'], strategy: 'least-busy', retry: { rounds: 1, backoffMs: 1 } }, 4],
}

const keyOf = (slug: string): string => `sk-${slug}`
const regions = ['eu-west-1', 'us-east-1', null, 'eu-north-1']
const slugsOf = (name: string): string[] =>
  Array.from({ length: routes[name]?.[1] ?? 0 }, (_, index) => `${name}-${index}`)

function deploymentsAt(baseUrl: string): DeploymentSnapshot[] {
  const timeouts = { ...testTimeouts, firstByteMs: 1000, idleMs: 1000 }
  return Object.keys(routes).flatMap((name) =>
    slugsOf(name).map((id, index) => {
      const region = name === 'european' ? (regions[index] ?? null) : null
      return testDeployment({
        id,
        providerId: 'openai',
        baseUrl,
        region,
        secrets: { apiKey: keyOf(id) },
        timeouts,
      })
    }),
  )
}

function routeOf(name: string): RouteSnapshot {
  const route = testRoute(name, slugsOf(name), 'gpt-4o')
  const level = name === 'sticky' || name === 'european' || name === 'full' ? 0 : null
  const targets = route.targets.map((target) => ({ ...target, priority: level ?? target.priority }))
  return { ...route, targets, policy: routes[name]?.[0] ?? {} }
}

const rig = rigForTests((upstream) => ({
  deployments: [
    ...deploymentsAt(upstream.url),
    testDeployment({
      id: 'claude',
      providerId: 'anthropic',
      baseUrl: upstream.url,
      secrets: { apiKey: 'k' },
    }),
  ],
  routes: [...Object.keys(routes).map(routeOf), testRoute('crossing', ['claude', 'guarded-1'], 'm')],
  bounds: { keepAliveCommentMs: 60 },
}))

const record = () => rig.started.records.at(-1)
const calls = (slug: string): number =>
  rig.upstream.requests.filter((request) => request.header('authorization') === `Bearer ${keyOf(slug)}`)
    .length
const refuse = (status: number, headers = {}): Fault => ({ kind: 'status', status, headers })
const ask = (model: string, own: object = {}) => rig.chat({ model, ...own })

test('a refused credential is not used again until it is another one', async () => {
  rig.upstream.failFor(keyOf('retired-0'), refuse(401))
  assert.deepEqual((await ask('retired')).headers['x-gatewright-attempts'], '2')
  const next = await ask('retired')
  assert.deepEqual([next.headers['x-gatewright-attempts'], calls('retired-0')], ['1', 1])
  const { config, gateway } = rig.started
  const renewed = config.deployments.map((each) =>
    each.id === 'retired-0' ? { ...each, secrets: { apiKey: 'sk-renewed' } } : each,
  )
  gateway.apply({ type: 'config', config: { ...config, version: 2, deployments: renewed } })
  const after = await ask('retired')
  assert.equal(after.headers['x-gatewright-deployment'], 'retired-0')
  gateway.apply({ type: 'config', config })
})

test('a caller cannot take a deployment out of use with headers of its own', async () => {
  rig.upstream.failNext(refuse(401))
  const body = { model: 'framed', messages: [{ role: 'user', content: 'x' }] }
  const framed = await rig.call('/v1/chat/completions', { body, headers: { 'openai-organization': 'org-x' } })
  assert.equal(framed.faultCode, 'upstream.credential-refused')
  assert.equal((await ask('framed')).status, 200)
})

test('where every credential is refused the caller is told so, and the provider is not asked again', async () => {
  for (const slug of slugsOf('exhausted')) rig.upstream.failFor(keyOf(slug), refuse(401))
  const first = await ask('exhausted')
  assert.deepEqual([first.status, first.faultCode], [502, 'upstream.credentials-exhausted'])
  const second = await ask('exhausted')
  assert.deepEqual([second.status, second.faultCode], [502, 'upstream.credentials-exhausted'])
  assert.equal(second.headers['retry-after'], '60')
  assert.equal(rig.upstream.requests.length, 2)
})

test('a deployment that asks for a pause gets it, and the next one serves meanwhile', async () => {
  rig.upstream.failFor(keyOf('cooling-0'), refuse(429, { 'retry-after': '30' }))
  for (const attempts of ['2', '1', '1']) {
    const answer = await ask('cooling')
    assert.deepEqual([answer.status, answer.headers['x-gatewright-attempts']], [200, attempts])
  }
  assert.equal(calls('cooling-0'), 1)
})

test('where all have asked for a pause the caller is told how long it lasts', async () => {
  rig.upstream.failFor(keyOf('cooling-alone-0'), refuse(429, { 'retry-after': '30' }))
  const own = await ask('cooling-alone')
  assert.deepEqual([own.status, own.faultCode, own.headers['retry-after']], [429, '', '30'])
  const ours = await ask('cooling-alone')
  assert.deepEqual(
    [ours.status, ours.faultCode, ours.headers['retry-after']],
    [429, 'upstream.rate-limited', '30'],
  )
  assert.equal(rig.upstream.requests.length, 1)
})

test('a failing deployment is left alone, then tried by one exchange, and is back when that succeeds', async () => {
  rig.upstream.failFor(keyOf('breaking-0'), refuse(500))
  for (let each = 0; each < 5; each += 1) assert.equal((await ask('breaking')).status, 500)
  const refused = await ask('breaking')
  assert.deepEqual([refused.status, refused.faultCode], [503, 'upstream.no-deployment'])
  assert.equal(refused.headers['retry-after'], '1')
  assert.equal(calls('breaking-0'), 5)
  rig.upstream.failFor(keyOf('breaking-0'), { kind: 'delay', delayMs: 60 })
  await new Promise((resolve) => setTimeout(resolve, 200))
  const answers = await Promise.all([1, 2, 3].map(() => ask('breaking')))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 503, 503])
  assert.equal((await ask('breaking')).status, 200)
})

test('further rounds come after a wait, as many as the policy allows, and the record counts them', async () => {
  rig.upstream.failNext(refuse(503), 2)
  const answer = await ask('retrying')
  assert.deepEqual([answer.status, answer.headers['x-gatewright-attempts']], [200, '3'])
  rig.upstream.clear()
  rig.upstream.failAll(refuse(503))
  assert.equal((await ask('retrying')).status, 503)
  assert.deepEqual([rig.upstream.requests.length, record()?.attempts], [3, 3])
})

test('what is final is not tried again, nor what the budget does not cover', async () => {
  rig.upstream.failNext(refuse(400))
  assert.equal((await ask('retrying')).status, 400)
  rig.upstream.failNext(refuse(503))
  assert.equal((await ask('frugal')).status, 503)
  assert.equal(rig.upstream.requests.length, 2)
})

test('a pause longer than the policy waits is the answer, not a wait', async () => {
  rig.upstream.failNext(refuse(503, { 'retry-after': '30' }))
  const answer = await ask('retrying')
  assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '30'])
  assert.equal(rig.upstream.requests.length, 1)
  rig.upstream.failNext(refuse(503, { 'retry-after-ms': '150' }))
  const began = performance.now()
  assert.equal((await ask('retrying')).status, 200)
  assert.ok(performance.now() - began >= 149, 'the provider is not asked before its time')
})

test('a caller who leaves while a retry waits leaves nothing behind', async () => {
  rig.upstream.failAll(refuse(503, { 'retry-after': '5' }))
  const controller = new AbortController()
  const asked = fetch(`${rig.started.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rig.started.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'retrying', messages: [{ role: 'user', content: 'x' }] }),
    signal: controller.signal,
  }).catch(() => null)
  await rig.upstream.until(() => rig.upstream.requests.length > 0)
  await new Promise((resolve) => setTimeout(resolve, 20))
  controller.abort()
  await asked
  for (let each = 0; each < 100 && rig.started.gateway.open > 0; each += 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepEqual([rig.started.gateway.open, record()?.outcome], [0, 'disconnected'])
})

const chunk = (delta: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`
const errorEvent = (type: string): string => `data: {"error":{"message":"as asked","type":"${type}"}}\n\n`

for (const [what, fault] of [
  ['an error event', { kind: 'stream', bytes: errorEvent('server_error') }],
  [
    'an error event after the role',
    { kind: 'stream', bytes: chunk({ role: 'assistant' }) + errorEvent('server_error') },
  ],
  ['nothing at all', { kind: 'stream', bytes: '' }],
  ['an end before any content', { kind: 'stream', bytes: chunk({ role: 'assistant', content: '' }) }],
  ['bytes that are no events', { kind: 'malformed-sse' }],
  ['a reset before any content', { kind: 'cut', afterBytes: 60 }],
  ['comments and never any content', { kind: 'stream', bytes: ': still here\n\n', staysOpen: true }],
] as const) {
  test(`a stream that begins with ${what} is replaced by the next deployment's, unseen`, async () => {
    rig.upstream.failFor(keyOf('guarded-0'), fault)
    const answer = await ask('guarded', { stream: true })
    assert.equal(answer.status, 200)
    assert.match(answer.text, /hello[\s\S]*data: \[DONE\]/)
    assert.doesNotMatch(answer.text, /error|as asked|broken/)
    assert.deepEqual([calls('guarded-0'), calls('guarded-1')], [1, 1])
    assert.deepEqual(
      [record()?.outcome, record()?.deploymentId, record()?.attempts],
      ['completed', 'guarded-1', 2],
    )
  })
}

test('the beginning of a translated stream is watched, too, in the dialect of whoever sends it', async () => {
  const start = {
    type: 'message_start',
    message: { id: 'm', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } },
  }
  const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'as asked' } }
  const bytes = [start, { type: 'ping' }, overloaded]
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('')
  rig.upstream.failNext({ kind: 'stream', bytes })
  const answer = await ask('crossing', { stream: true })
  assert.match(answer.text, /hello[\s\S]*data: \[DONE\]/)
  assert.doesNotMatch(answer.text, /as asked/)
  assert.deepEqual([record()?.deploymentId, record()?.attempts], ['guarded-1', 2])
})

test('what a provider holds against the request is final in a stream, too', async () => {
  rig.upstream.failFor(keyOf('guarded-0'), { kind: 'stream', bytes: errorEvent('invalid_request_error') })
  const answer = await ask('guarded', { stream: true })
  assert.match(answer.text, /as asked/)
  assert.equal(calls('guarded-1'), 0)
})

test('after the first content nothing is replaced', async () => {
  const bytes = chunk({ role: 'assistant', content: 'half' }) + errorEvent('server_error')
  rig.upstream.failFor(keyOf('guarded-0'), { kind: 'stream', bytes })
  const answer = await ask('guarded', { stream: true })
  assert.match(answer.text, /half[\s\S]*as asked/)
  assert.equal(calls('guarded-1'), 0)
})

test('when all streams fail before their content the caller gets a plain error, not half a stream', async () => {
  for (const slug of slugsOf('guarded'))
    rig.upstream.failFor(keyOf(slug), { kind: 'stream', bytes: errorEvent('server_error') })
  const answer = await ask('guarded', { stream: true })
  assert.deepEqual([answer.status, record()?.outcome], [502, 'failed'])
  assert.match(answer.text, /as asked/)
})

test('a second call follows a slow one, the quicker is taken, the other is ended, and both are paid for', async () => {
  for (let each = 0; each < 20; each += 1) assert.equal((await ask('hedged', { stream: true })).status, 200)
  const alone = record()?.costMicroUsd ?? 0
  rig.upstream.clear()
  rig.upstream.failFor(keyOf('hedged-0'), { kind: 'hang' })
  const answer = await ask('hedged', { stream: true })
  assert.equal(answer.status, 200)
  assert.deepEqual([record()?.deploymentId, record()?.attempts], ['hedged-1', 2])
  assert.ok((record()?.costMicroUsd ?? 0) > alone)
  await rig.upstream.until(() => rig.upstream.requests.some((request) => request.disconnected))
  const slower = rig.started.notes.filter(({ level }) => level === 'error')
  assert.deepEqual(slower, [])
})

test('of two calls the one that fails for good speaks for itself, and its secret stays inside', async () => {
  for (let each = 0; each < 20; each += 1) await ask('hedged')
  const body = `{"error":{"message":"no, ${keyOf('hedged-0')}"}}`
  const then = { kind: 'status', status: 400, body } as const
  rig.upstream.failFor(keyOf('hedged-0'), { kind: 'delay', delayMs: 150, then })
  rig.upstream.failFor(keyOf('hedged-1'), { kind: 'hang' })
  const answer = await ask('hedged')
  assert.deepEqual([answer.status, answer.headers['x-gatewright-deployment']], [400, 'hedged-0'])
  assert.match(answer.text, /no, \[redacted\]/)
  assert.deepEqual([record()?.attempts, record()?.deploymentId, rig.started.gateway.open], [2, 'hedged-0', 0])
})

test('no second call is made that may cost more than the cap', async () => {
  for (let each = 0; each < 20; each += 1) await ask('hedged-poor')
  rig.upstream.clear()
  rig.upstream.failFor(keyOf('hedged-poor-0'), { kind: 'delay', delayMs: 150 })
  assert.equal((await ask('hedged-poor')).status, 200)
  assert.equal(rig.upstream.requests.length, 1)
})

test('the cap of a second call goes by all answers that a request asks for, in its own words', async () => {
  // 100 tokens of gpt-4o cost 1,000 micro-dollars; eight times as many are beyond the cap.
  const requests = (answers: number) => [
    {
      path: '/v1beta/models/hedged-frugal:generateContent',
      body: {
        contents: [{ role: 'user', parts: [{ text: 'sandbox: say=hello' }] }],
        generationConfig: { maxOutputTokens: 100, candidateCount: answers },
      },
    },
    {
      path: '/v1/chat/completions',
      body: {
        model: 'hedged-frugal',
        messages: [{ role: 'user', content: 'sandbox: say=hello' }],
        max_tokens: 100,
        n: answers,
      },
    },
  ]
  for (const { path, body } of requests(1)) {
    for (let each = 0; each < 20; each += 1) assert.equal((await rig.call(path, { body })).status, 200)
  }
  rig.upstream.failFor(keyOf('hedged-frugal-0'), { kind: 'delay', delayMs: 150 })
  for (const [answers, expected] of [
    [1, 2],
    [8, 1],
  ] as const) {
    for (const { path, body } of requests(answers)) {
      const before = rig.upstream.requests.length
      assert.equal((await rig.call(path, { body })).status, 200)
      assert.equal(rig.upstream.requests.length - before, expected, `${answers} answers, ${path}`)
    }
  }
})

test('no second call is made, nor one after a broken answer, that a budget has no room for', async () => {
  const { gateway, config } = rig.started
  const window = { kind: 'rolling', ms: 31 * 86_400_000, burst: null } as const
  // About 1,000 tokens in and 10 out: one call costs about 2,600 micro-dollars.
  const messages = [{ role: 'user', content: `sandbox: say=hello\n${'word '.repeat(1000)}` }]
  for (let each = 0; each < 20; each += 1) await ask('hedged')
  for (const [amount, expected] of [
    [4000, 1],
    [40_000, 2],
  ] as const) {
    const limits = [testLimit({ id: `budget-${amount}`, meter: 'cost', amount, window })]
    gateway.apply({ type: 'config', config: { ...config, limits } })
    rig.upstream.clear()
    rig.upstream.failFor(keyOf('hedged-0'), { kind: 'delay', delayMs: 200 })
    assert.equal((await ask('hedged', { messages, max_tokens: 10 })).status, 200)
    assert.equal(rig.upstream.requests.length, expected, `hedged with ${amount}`)
    const broken = [testLimit({ id: `broken-${amount}`, meter: 'cost', amount, window })]
    gateway.apply({ type: 'config', config: { ...config, limits: broken } })
    rig.upstream.clear()
    rig.upstream.failFor(keyOf('guarded-0'), { kind: 'stream', bytes: '' })
    await ask('guarded', { messages, max_tokens: 10, stream: true })
    assert.equal(rig.upstream.requests.length, expected, `broken with ${amount}`)
  }
  gateway.apply({ type: 'config', config })
})

test('a conversation stays at its deployment, and conversations spread', async () => {
  const homes = new Set<string>()
  for (let talk = 0; talk < 12; talk += 1) {
    const messages = [{ role: 'user', content: `sandbox: say=talk ${talk}` }]
    const first = (await ask('sticky', { messages })).headers['x-gatewright-deployment']
    const longer = [
      ...messages,
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'sandbox: say=b' },
    ]
    assert.equal((await ask('sticky', { messages: longer })).headers['x-gatewright-deployment'], first)
    homes.add(String(first))
  }
  assert.ok(homes.size > 1)
})

test('a deployment at its limit is passed over, and when all are there the caller is told to come again', async () => {
  for (const slug of slugsOf('full')) rig.upstream.failFor(keyOf(slug), { kind: 'delay', delayMs: 120 })
  const answers = await Promise.all([1, 2, 3].map(() => ask('full')))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 503])
  const refused = answers.find(({ status }) => status === 503)
  assert.deepEqual([refused?.faultCode, refused?.headers['retry-after']], ['upstream.saturated', '1'])
  assert.deepEqual([calls('full-0'), calls('full-1')], [1, 1])
  rig.upstream.clear()
  assert.equal((await ask('full')).status, 200)
})

test('where the policy says so an exchange waits for room, in turn and only so long', async () => {
  rig.upstream.failFor(keyOf('patient-0'), { kind: 'delay', delayMs: 100 })
  const began = performance.now()
  const answers = await Promise.all([1, 2, 3].map(() => ask('patient')))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  )
  assert.ok(performance.now() - began >= 290, 'one after the other')
  rig.upstream.failFor(keyOf('patient-0'), { kind: 'delay', delayMs: 700 })
  const [served, late] = await Promise.all([ask('patient'), ask('patient')])
  assert.deepEqual([served?.status, late?.status, late?.faultCode], [200, 503, 'upstream.saturated'])
  assert.equal(rig.started.gateway.open, 0)
})

test('room at a deployment is shared by the routes to it, and the end of a call wakes who waits at another', async () => {
  const { gateway, config } = rig.started
  const neighbour = config.routes
    .filter(({ name }) => name === 'patient')
    .map((route) => ({
      ...route,
      name: 'neighbour',
      targets: route.targets.map((each) => ({ ...each, model: 'gpt-4o-mini' })),
    }))
  gateway.apply({ type: 'config', config: { ...config, routes: [...config.routes, ...neighbour] } })
  rig.upstream.failFor(keyOf('patient-0'), { kind: 'delay', delayMs: 100 })
  const ends: string[] = []
  const asked = ['patient first', 'patient second', 'neighbour'].map(async (name) => {
    const answer = await ask(name.split(' ')[0] ?? '')
    ends.push(name)
    return answer.status
  })
  assert.deepEqual(await Promise.all(asked), [200, 200, 200])
  gateway.apply({ type: 'config', config })
  // The other route first: a route does not keep a deployment for itself.
  assert.deepEqual([ends.indexOf('neighbour'), ends.length], [1, 3], ends.join())
  assert.equal(calls('patient-0'), 3)
})

test('an answer from where a route may no longer go is not given again', async () => {
  const { gateway, config } = rig.started
  const keepWith = (residency: readonly string[]): void => {
    const policy = { residency, cache: { ttlMs: 60_000 } }
    const kept = config.routes.map((each) => (each.name === 'european' ? { ...each, policy } : each))
    gateway.apply({ type: 'config', config: { ...config, routes: kept } })
  }
  const asked = { temperature: 0, seed: 1 }
  keepWith(['eu-*', 'us-*'])
  rig.started.forgetHealth()
  await ask('european', asked)
  assert.equal((await ask('european', asked)).status, 200)
  assert.equal(rig.upstream.requests.length, 1)
  keepWith(['eu-*'])
  assert.equal((await ask('european', asked)).status, 200)
  assert.equal(rig.upstream.requests.length, 2)
  gateway.apply({ type: 'config', config })
})

test('whatever fails, no request leaves the regions of its route', async () => {
  const outside = ['european-1', 'european-2']
  for (const fault of [refuse(500), refuse(429), refuse(401), { kind: 'reset' }, { kind: 'hang' }] as const) {
    for (const slug of ['european-0', 'european-3']) rig.upstream.failFor(keyOf(slug), fault)
    await Promise.all([ask('european'), ask('european', { stream: true })])
  }
  assert.ok(rig.upstream.requests.length > 4)
  assert.deepEqual(outside.map(calls), [0, 0])
})
