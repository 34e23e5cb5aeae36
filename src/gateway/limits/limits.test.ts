/** Limits through a real gateway: refused, reserved, and put right however an exchange ends. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LimitRule, PlanSnapshot } from '../../domain/limits.ts'
import { type Operation, operations } from '../../domain/operations.ts'
import { mintApiKeySecret } from '../../identity/index.ts'
import { type Answer, rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'
import { matchesAll, testLimit } from '../harness/test-limit.ts'

const rig = rigForTests((upstream) => ({
  deployments: ['first', 'second'].map((id) =>
    testDeployment({
      id,
      providerId: 'openai',
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0001' },
      timeouts: { connectMs: 5000, firstByteMs: 300, idleMs: 300, totalMs: 5000 },
    }),
  ),
  routes: [testRoute('gpt', ['first'], 'gpt-4o'), testRoute('pair', ['first', 'second'], 'gpt-4o')],
}))
let testNumber = 0
beforeEach(() => {
  testNumber += 1
})

type OwnRule = Partial<LimitRule> & Pick<LimitRule, 'id'>

/** Rules from now on, with counters of their own for each test. */
function limit(...rules: readonly OwnRule[]): void {
  const { gateway, config } = rig.started
  const limits = rules.map((own) => ({
    ...testLimit({ name: own.id, ...own }),
    id: `${own.id}-${testNumber}`,
  }))
  gateway.apply({ type: 'config', config: { ...config, limits } })
}

/** So slow that nothing comes back while a test runs. */
const slow = { kind: 'rolling', ms: 31 * 86_400_000, burst: null } as const
const say = (text: string) => ({ messages: [{ role: 'user', content: `sandbox: ${text}` }] })
const record = () => rig.started.records.at(-1)

/** What is left of the first token rule; asking uses nothing up. */
async function tokensLeft(): Promise<number> {
  const answer = await rig.call('/v1/models')
  return Number(answer.headers['x-ratelimit-remaining-tokens'])
}

function refusedAs(answer: Answer, code: string): void {
  assert.deepEqual([answer.status, answer.faultCode], [429, code])
}

describe('what is refused', () => {
  test('names the limit, tells when to come again, and costs the provider nothing', async () => {
    limit({ id: 'per-minute' })
    assert.equal((await rig.chat()).status, 200)
    assert.equal((await rig.chat()).status, 200)
    const refused = await rig.chat()
    refusedAs(refused, 'limits.exceeded')
    assert.match(refused.message, /per-minute on requests/)
    const seconds = Number(refused.headers['retry-after'])
    assert.ok(seconds >= 29 && seconds <= 30, `${seconds}`)
    assert.equal(rig.upstream.requests.length, 2)
    assert.deepEqual([record()?.refusedBy, record()?.outcome], ['per-minute', 'refused'])
  })

  test('debits nothing: not even of the rules that had room', async () => {
    limit(
      { id: 'tokens', meter: 'total-tokens', amount: 5000, window: slow },
      { id: 'requests', amount: 1, match: { ...matchesAll, models: ['gpt'] } },
    )
    await rig.chat({ max_tokens: 50 })
    const before = await tokensLeft()
    refusedAs(await rig.chat({ max_tokens: 50 }), 'limits.exceeded')
    assert.equal(await tokensLeft(), before)
  })

  test('a request that can never fit is told so, and SDKs are told not to try again', async () => {
    limit({ id: 'tokens', meter: 'output-tokens', amount: 100 })
    const refused = await rig.chat({ max_tokens: 101 })
    refusedAs(refused, 'limits.request-too-large')
    assert.equal(refused.headers['retry-after'], undefined)
    assert.equal(refused.headers['x-should-retry'], 'false')
  })

  test('a budget says so in the words of each surface', async () => {
    const window = { kind: 'calendar', period: 'month', timeZone: 'UTC' } as const
    limit({ id: 'budget', meter: 'total-tokens', amount: 1, window })
    const messages = [{ role: 'user', content: 'hello' }]
    const openai = await rig.chat({ max_tokens: 10 })
    refusedAs(openai, 'limits.budget-exhausted')
    assert.equal((openai.json()['error'] as { type: string }).type, 'insufficient_quota')
    assert.equal(openai.headers['x-should-retry'], 'false')
    const anthropic = await rig.call('/v1/messages', { body: { model: 'gpt', max_tokens: 10, messages } })
    assert.deepEqual(
      [anthropic.status, (anthropic.json()['error'] as { type: string }).type],
      [429, 'rate_limit_error'],
    )
    const gemini = await rig.call('/v1beta/models/gpt:generateContent', {
      body: {
        contents: [{ role: 'user', parts: [{ text: 'hello' }] }],
        generationConfig: { maxOutputTokens: 10 },
      },
    })
    assert.deepEqual(
      [gemini.status, (gemini.json()['error'] as { status: string }).status],
      [429, 'RESOURCE_EXHAUSTED'],
    )
    assert.equal(rig.upstream.requests.length, 0)
  })

  test('an alias of a model is no way round its limit', async () => {
    const { gateway, config } = rig.started
    const routes = config.routes.map((route) =>
      route.name === 'gpt' ? { ...route, aliases: ['other-name'] } : route,
    )
    const limits = [
      testLimit({ id: `alias-${testNumber}`, amount: 1, match: { ...matchesAll, models: ['gpt'] } }),
    ]
    gateway.apply({ type: 'config', config: { ...config, routes, limits } })
    assert.equal((await rig.chat()).status, 200)
    refusedAs(await rig.chat({ model: 'other-name' }), 'limits.exceeded')
  })
})

describe('what is reserved', () => {
  test('is what the request may use at most: eight at once cannot have more than there is', async () => {
    limit({ id: 'tokens', meter: 'total-tokens', amount: 100 })
    const ask = () => rig.chat({ ...say('tokens=20'), max_tokens: 20 })
    let used = 0
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(Array.from({ length: 8 }, ask))
      for (const answer of answers) {
        assert.ok(answer.status === 200 || answer.status === 429)
        if (answer.status === 200) used += (answer.json()['usage'] as { total_tokens: number }).total_tokens
      }
    }
    assert.ok(used > 60 && used <= 100 + 10, `${used} of 100 tokens were used`)
  })

  test('counts every answer that is asked for', async () => {
    limit({ id: 'tokens', meter: 'output-tokens', amount: 100 })
    refusedAs(await rig.chat({ max_tokens: 40, n: 3 }), 'limits.request-too-large')
    refusedAs(
      await rig.call('/v1/completions', { body: { model: 'gpt', prompt: ['a', 'b', 'c'], max_tokens: 40 } }),
      'limits.request-too-large',
    )
  })

  test('goes by no cap that the provider does not read', async () => {
    limit({ id: 'tokens', meter: 'output-tokens', amount: 500 })
    refusedAs(await rig.chat({ max_output_tokens: 1 }), 'limits.request-too-large')
  })

  test('without a cap is what the model has answered so far, nearly always', async () => {
    limit({ id: 'tokens', meter: 'output-tokens', amount: 100_000 })
    for (let at = 0; at < 8; at += 1) await rig.chat(say('tokens=30'))
    limit({ id: 'narrow', meter: 'output-tokens', amount: 200 })
    assert.equal((await rig.chat(say('tokens=30'))).status, 200)
  })

  test('money goes by the dearest target', async () => {
    const { gateway, config } = rig.started
    const price = (model: string, outputPerMillion: number) => ({
      provider: 'openai',
      model,
      inputPerMillion: 0,
      outputPerMillion,
      cachedInputPerMillion: null,
      cacheWritePerMillion: null,
    })
    const targets = ['cheap', 'dear'].map((model, priority) => ({
      deployment: 'first',
      model,
      priority,
      weight: 1,
    }))
    const route = { ...testRoute('mixed', ['first']), targets }
    const limits = [testLimit({ id: `money-${testNumber}`, meter: 'cost', amount: 1000 })]
    const prices = [price('cheap', 1), price('dear', 100)]
    gateway.apply({ type: 'config', config: { ...config, routes: [route], prices, limits } })
    // 11 tokens at 100 micro-dollars are more than 1000.
    refusedAs(await rig.chat({ model: 'mixed', max_tokens: 11 }), 'limits.request-too-large')
    assert.equal((await rig.chat({ model: 'mixed', max_tokens: 10 })).status, 200)
  })
})

describe('what is settled', () => {
  const amount = 5000
  const limitTokens = () =>
    limit(
      { id: 'tokens', meter: 'total-tokens', amount, window: slow },
      { id: 'under-way', meter: 'concurrent-requests', amount: 1, window: null },
    )
  /** Nothing is held any more: the one place is free, and the tokens are those of the record, where any were charged. */
  async function assertSettled(isCharged: boolean): Promise<void> {
    const { inputTokens, outputTokens } = record() ?? { inputTokens: 0, outputTokens: 0 }
    assert.equal(inputTokens > 0, isCharged, `${inputTokens} in, ${outputTokens} out`)
    assert.equal(await tokensLeft(), amount - inputTokens - outputTokens)
  }

  const endings: readonly (readonly [string, object, () => void, number])[] = [
    ['a whole answer', { max_tokens: 900 }, () => {}, 200],
    ['a stream', { max_tokens: 900, stream: true, ...say('tokens=40') }, () => {}, 200],
    [
      'a stream without figures',
      { max_tokens: 900, stream: true, ...say('no-usage tokens=40') },
      () => {},
      200,
    ],
    [
      'an error of the provider',
      { max_tokens: 900 },
      () => rig.upstream.failNext({ kind: 'status', status: 400 }),
      400,
    ],
    ['a broken connection', { max_tokens: 900 }, () => rig.upstream.failNext({ kind: 'reset' }), 502],
    ['silence of the provider', { max_tokens: 900 }, () => rig.upstream.failNext({ kind: 'hang' }), 504],
    [
      'a stream that breaks off',
      { max_tokens: 900, stream: true, ...say('tokens=200') },
      () => rig.upstream.failNext({ kind: 'cut', afterBytes: 3000 }),
      200,
    ],
    [
      'a fallback',
      { model: 'pair', max_tokens: 900 },
      () => rig.upstream.failNext({ kind: 'status', status: 500 }),
      200,
    ],
  ]
  for (const [ending, body, prepare, status] of endings) {
    test(`${ending}: tokens and place are as used`, async () => {
      limitTokens()
      prepare()
      assert.equal((await rig.chat(body)).status, status)
      await assertSettled(status !== 400)
    })
  }

  test('a caller that goes away in a stream: what was sent counts, and no more', async () => {
    limitTokens()
    const abort = new AbortController()
    const response = await fetch(`${rig.started.url}/v1/chat/completions`, {
      method: 'POST',
      signal: abort.signal,
      headers: { authorization: `Bearer ${rig.started.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt',
        stream: true,
        max_tokens: 900,
        ...say('tokens=400 chunk-delay=5ms'),
      }),
    })
    await response.body?.getReader().read()
    assert.equal((await rig.chat()).faultCode, 'limits.exceeded', 'the place is taken')
    abort.abort()
    for (let at = 0; at < 400 && record()?.outcome !== 'disconnected'; at += 1) await sleep(5)
    assert.ok((record()?.outputTokens ?? 0) < 400)
    await assertSettled(true)
  })

  test('a key that is revoked in a stream', async () => {
    limitTokens()
    const { gateway, key } = rig.started
    const call = rig.chat({ stream: true, max_tokens: 900, ...say('tokens=400 chunk-delay=5ms') })
    await rig.upstream.until(() => rig.upstream.requests.length > 0)
    gateway.apply({ type: 'keys', version: 2, reset: false, upsert: [], remove: [key.keyId] })
    assert.match((await call).text, /auth\.key-revoked/)
    gateway.apply({ type: 'keys', version: 3, reset: false, upsert: [key], remove: [] })
    await assertSettled(true)
  })
})

test('a rule that only warns serves, and says so; one in the shadow shows in the record alone', async () => {
  limit({ id: 'soft', amount: 1, mode: 'warn' }, { id: 'secret', amount: 1, mode: 'shadow' })
  assert.equal((await rig.chat()).headers['x-gatewright-limit-warning'], undefined)
  const answer = await rig.chat()
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['x-gatewright-limit-warning'], 'soft')
  assert.doesNotMatch(JSON.stringify(answer.headers), /secret/)
  assert.deepEqual(record()?.limitsPassed, ['soft', 'secret'])
})

test('a soft budget goes on counting, and warns once it is passed', async () => {
  const window = { kind: 'calendar', period: 'month', timeZone: 'UTC' } as const
  limit({ id: 'soft-budget', meter: 'total-tokens', amount: 30, mode: 'warn', window })
  const warnings: unknown[] = []
  for (let at = 0; at < 4; at += 1) {
    const answer = await rig.chat({ ...say('tokens=10'), max_tokens: 10 })
    assert.equal(answer.status, 200)
    warnings.push(answer.headers['x-gatewright-limit-warning'])
  }
  assert.deepEqual([warnings[0], warnings[3]], [undefined, 'soft-budget'])
  assert.equal(await tokensLeft(), 0)
})

test('a plan limits each of its subscriptions apart, by product', async () => {
  const { gateway, config } = rig.started
  const plan: PlanSnapshot = {
    id: `pln_${testNumber}`,
    organizationId: 'org_a',
    slug: 'small',
    limits: [testLimit({ id: 'of-plan', amount: 1 })],
    priority: 'normal',
    weight: 1,
    queue: { maxWaitMs: 1000, maxLength: 10 },
  }
  const grant = (productId: string, model: string) => ({
    productId,
    models: [model],
    operations: ['*'],
    planId: plan.id,
  })
  const [application] = config.applications
  assert.ok(application)
  const applications = [{ ...application, grants: [grant('one', 'gpt'), grant('two', 'pair')] }]
  gateway.apply({ type: 'config', config: { ...config, applications, plans: [plan] } })
  assert.equal((await rig.chat()).status, 200)
  refusedAs(await rig.chat(), 'limits.exceeded')
  assert.equal((await rig.chat({ model: 'pair' })).status, 200)
})

test('a limit on addresses is looked at before the secret is, and counts wrong secrets too', async () => {
  limit({ id: 'addresses', per: ['address'], amount: 3 })
  const wrong = mintApiKeySecret('test', rig.started.keyId)
  const call = () => rig.call('/v1/models', { authorized: false, headers: { 'x-api-key': wrong } })
  for (let at = 0; at < 3; at += 1) assert.equal((await call()).status, 401)
  refusedAs(await call(), 'limits.exceeded')
  refusedAs(await rig.chat(), 'limits.exceeded')
})

describe('no operation goes round limits', () => {
  const month = { kind: 'calendar', period: 'month', timeZone: 'UTC' } as const
  const createBatch = () =>
    rig.call('/v1/batches', { body: { input_file_id: 'file_1', endpoint: '/v1/chat/completions' } })

  test('a batch is not created under a budget, because nobody could count it; under a pace it is', async () => {
    limit({ id: 'money', meter: 'cost', amount: 1_000_000_000, window: month })
    const refused = await createBatch()
    assert.deepEqual([refused.status, refused.faultCode], [403, 'limits.uncounted-batch'])
    limit({
      id: 'a-model',
      meter: 'total-tokens',
      amount: 10,
      window: month,
      match: { ...matchesAll, models: ['gpt'] },
    })
    assert.equal((await createBatch()).faultCode, 'limits.uncounted-batch')
    limit(
      { id: 'pace', meter: 'total-tokens', amount: 10 },
      { id: 'soft', meter: 'cost', amount: 1, window: month, mode: 'warn' },
    )
    assert.notEqual((await createBatch()).faultCode, 'limits.uncounted-batch')
  })

  test('an answer written in the background counts as much as it may become', async () => {
    limit({ id: 'tokens', meter: 'output-tokens', amount: 1000, window: slow })
    const body = JSON.stringify({
      id: 'resp_1',
      object: 'response',
      status: 'queued',
      output: [],
      usage: null,
    })
    rig.upstream.failNext({
      kind: 'status',
      status: 200,
      headers: { 'content-type': 'application/json' },
      body,
    })
    const answer = await rig.call('/v1/responses', {
      body: { model: 'gpt', input: 'hello', background: true, max_output_tokens: 600 },
    })
    assert.equal(answer.status, 200)
    assert.equal(await tokensLeft(), 400)
  })

  const bodyOf = ({ request, model }: Operation) => {
    if (request === 'none') return {}
    if (model === 'form') {
      const text = '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\ngpt\r\n--b--\r\n'
      return { body: text, headers: { 'content-type': 'multipart/form-data; boundary=b' } }
    }
    return {
      body: {
        model: 'gpt',
        max_tokens: 5,
        input: 'x',
        prompt: 'x',
        input_file_id: 'f',
        messages: [{ role: 'user', content: 'x' }],
        contents: [{ role: 'user', parts: [{ text: 'x' }] }],
      },
    }
  }
  for (const operation of operations) {
    test(operation.id, async () => {
      limit({ id: 'none-at-all', amount: 1 })
      const path = operation.path.replace('{model}', 'gpt').replace('{rest}', 'batch_1')
      const call = () => rig.call(path, { method: operation.method, ...bodyOf(operation) })
      const first = await call()
      assert.notEqual(first.status, 429, first.text)
      assert.match(String(first.headers['ratelimit']), /^"none-at-all";r=0/)
      const before = rig.upstream.requests.length
      refusedAs(await call(), 'limits.exceeded')
      assert.equal(rig.upstream.requests.length, before)
    })
  }
})
