/** Hard budgets: what the caller leaves open is bounded, and what cannot be counted is not served. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { LimitRule } from '../../domain/limits.ts'
import type { PriceRow, SnapshotConfig } from '../../domain/snapshot.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'
import { matchesAll, testLimit } from '../harness/test-limit.ts'

const deployments = {
  openai: { providerId: 'openai' },
  responses: { providerId: 'openai', dialect: 'openai-responses' },
  mistral: { providerId: 'mistral' },
  anthropic: { providerId: 'anthropic' },
  gemini: { providerId: 'gemini' },
} as const
const rig = rigForTests((upstream) => ({
  deployments: Object.entries(deployments).map(([id, row]) =>
    testDeployment({ id, ...row, baseUrl: upstream.url, secrets: { apiKey: 'sk-test-0001' } }),
  ),
  routes: [
    testRoute('gpt', ['openai'], 'gpt-4o'),
    { ...testRoute('kept', ['openai'], 'gpt-4o'), policy: { cache: { ttlMs: 60_000 } } },
    testRoute('unknown', ['openai'], 'a-model-of-our-own'),
    testRoute('half-known', ['openai', 'mistral'], 'gpt-4o'),
    testRoute('image', ['openai'], 'gpt-image-1'),
    testRoute('embedding', ['openai'], 'text-embedding-3-small'),
    ...Object.keys(deployments).map((id) => testRoute(`via-${id}`, [id], 'gpt-4o')),
  ],
}))
let testNumber = 0
beforeEach(() => {
  testNumber += 1
})

const month = { kind: 'calendar', period: 'month', timeZone: 'UTC' } as const
const budgetOf = (own: Partial<LimitRule>): LimitRule =>
  testLimit({ id: `budget-${testNumber}`, name: 'budget', window: month, ...own })

function limit(own: Partial<LimitRule>, config: Partial<SnapshotConfig> = {}): void {
  const { gateway, config: whole } = rig.started
  gateway.apply({ type: 'config', config: { ...whole, ...config, limits: [budgetOf(own)] } })
}

const sent = () => JSON.parse(String(rig.upstream.requests.at(-1)?.body)) as Record<string, unknown>
const capOf = (headers: Readonly<Record<string, unknown>>) => Number(headers['x-gatewright-output-cap'])
const messages = [{ role: 'user', content: 'sandbox: say=hello' }]
const contents = [{ role: 'user', parts: [{ text: 'sandbox: say=hello' }] }]

describe('an answer whose length the caller leaves open', () => {
  test('gets a cap under a hard budget, as large as the model can write while there is plenty', async () => {
    for (const meter of ['output-tokens', 'total-tokens', 'cost'] as const) {
      limit({ meter, amount: 1_000_000_000 })
      const answer = await rig.chat()
      assert.deepEqual([answer.status, capOf(answer.headers)], [200, 16_384], meter)
      assert.equal(sent()['max_completion_tokens'], 16_384)
      testNumber += 1
    }
  })

  test('is not given again when the budget cut it short; a shorter one is', async () => {
    const ask = (tokens: number) =>
      rig.chat({ model: 'kept', messages: [{ role: 'user', content: `sandbox: tokens=${tokens}` }] })
    limit({ meter: 'output-tokens', amount: 40_000 })
    const cap = capOf((await ask(3)).headers)
    assert.equal((await ask(3)).headers['x-gatewright-cache'], 'hit')
    await ask(cap + 500)
    assert.equal((await ask(cap + 500)).headers['x-gatewright-cache'], 'miss')
  })

  test('gets a part of what is left where there is less, so that others find room, too', async () => {
    limit({ meter: 'output-tokens', amount: 32_000 })
    rig.upstream.failAll({ kind: 'delay', delayMs: 300 })
    const answers = await Promise.all(Array.from({ length: 12 }, () => rig.chat()))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    const caps = answers.map(({ headers }) => capOf(headers))
    assert.equal(Math.max(...caps), 2000)
    assert.ok(Math.min(...caps) >= 1024 && caps.reduce((sum, cap) => sum + cap, 0) <= 32_000, `${caps}`)
  })

  test('does with what is expected where no more is left, and is refused below that', async () => {
    const model = 'via-openai'
    limit({ meter: 'output-tokens', amount: 1100 })
    assert.equal(capOf((await rig.chat({ model })).headers), 1024)
    testNumber += 1
    limit({ meter: 'output-tokens', amount: 1000 })
    assert.equal((await rig.chat({ model })).faultCode, 'limits.budget-exhausted')
  })

  test('of money, goes by the price', async () => {
    // 1,024,000 micro-dollars are 102,400 tokens of gpt-4o at 10 micro-dollars; a sixteenth is 6,400.
    limit({ meter: 'cost', amount: 1_024_000 })
    assert.equal(capOf((await rig.chat()).headers), 6400)
  })

  test('shares its cap among the answers that are asked for', async () => {
    limit({ meter: 'output-tokens', amount: 320_000 })
    assert.equal(capOf((await rig.chat({ n: 8 })).headers), 2500)
  })

  test('passes no budget, however long it would have been, streamed or whole, thought or said', async () => {
    const amount = 6000
    for (const stream of [false, true]) {
      testNumber += 1
      limit({ meter: 'output-tokens', amount })
      const long = [{ role: 'user', content: 'sandbox: reasoning tokens=5000' }]
      const asked = Array.from({ length: 6 }, () => rig.chat({ messages: long, stream }))
      const served = (await Promise.all(asked)).filter(({ status }) => status === 200)
      assert.ok(served.length > 0)
      await rig.chat({ messages: long, stream })
      const used = rig.started.records.reduce((sum, record) => sum + record.outputTokens, 0)
      assert.ok(used > 1000 && used <= amount, `${used} of ${amount}`)
      rig.started.records.length = 0
    }
  })

  const bodies = {
    '/v1/chat/completions': { messages },
    '/v1/responses': { input: 'sandbox: say=hello' },
    '/v1beta/models/{model}:generateContent': { contents, generationConfig: { temperature: 0.5 } },
  }
  const capIn: Readonly<Record<keyof typeof deployments, (body: Record<string, unknown>) => unknown>> = {
    // It has Responses, too: these pass as they are.
    openai: (body) => body['max_completion_tokens'] ?? body['max_output_tokens'],
    responses: (body) => body['max_output_tokens'],
    mistral: (body) => body['max_tokens'],
    anthropic: (body) => body['max_tokens'],
    gemini: (body) => (body['generationConfig'] as Record<string, unknown>)['maxOutputTokens'],
  }
  const prices: readonly PriceRow[] = [
    {
      provider: '*',
      model: 'gpt-4o',
      inputPerMillion: 1,
      outputPerMillion: 1,
      cachedInputPerMillion: null,
      cacheWritePerMillion: null,
    },
  ]
  for (const [path, own] of Object.entries(bodies)) {
    for (const id of Object.keys(deployments) as (keyof typeof deployments)[]) {
      test(`from ${path} to ${id}, the provider reads the cap`, async () => {
        limit({ meter: 'cost', amount: 160_000 }, { prices })
        const model = `via-${id}`
        const body = path.includes('{model}') ? own : { model, ...own }
        const answer = await rig.call(path.replace('{model}', model), { body })
        assert.equal(answer.status, 200, answer.text)
        const cap = capOf(answer.headers)
        assert.ok(cap > 9000 && cap <= 10_000, `${cap}`)
        assert.equal(capIn[id](sent()), cap)
        if (path.includes('{model}') && id === 'gemini')
          assert.equal((sent()['generationConfig'] as Record<string, unknown>)['temperature'], 0.5)
      })
    }
  }

  test('a legacy completion is held to what its API takes where nothing is said', async () => {
    limit({ meter: 'output-tokens', amount: 100_000 })
    const answer = await rig.call('/v1/completions', { body: { model: 'gpt', prompt: 'hello' } })
    assert.deepEqual([answer.status, capOf(answer.headers), sent()['max_tokens']], [200, 16, 16])
  })

  test('stays open under a pace, a soft budget and a budget of input alone, and is the caller’s own', async () => {
    const rules: readonly Partial<LimitRule>[] = [
      { meter: 'output-tokens', amount: 100_000, window: { kind: 'rolling', ms: 60_000, burst: null } },
      { meter: 'output-tokens', amount: 100_000, mode: 'warn' },
      { meter: 'input-tokens', amount: 100_000 },
      { meter: 'output-tokens', amount: 100_000, match: { ...matchesAll, models: ['other'] } },
    ]
    for (const rule of rules) {
      testNumber += 1
      limit(rule)
      const answer = await rig.chat()
      assert.equal(answer.headers['x-gatewright-output-cap'], undefined)
      assert.equal(sent()['max_completion_tokens'], undefined)
    }
    limit({ meter: 'output-tokens', amount: 100_000 })
    const own = await rig.chat({ max_tokens: 77 })
    assert.equal(own.headers['x-gatewright-output-cap'], undefined)
    assert.deepEqual([sent()['max_tokens'], sent()['max_completion_tokens']], [77, undefined])
  })
})

describe('what no budget of money can count', () => {
  const amount = 1_000_000_000

  test('a model without a price is refused; with one, be it 0, it is served', async () => {
    limit({ meter: 'cost', amount })
    const refused = await rig.chat({ model: 'unknown' })
    assert.deepEqual([refused.status, refused.faultCode], [403, 'limits.unpriced-model'])
    assert.match(refused.message, /a-model-of-our-own/)
    assert.equal(rig.upstream.requests.length, 0)
    const [free] = rig.started.config.prices.filter(({ provider }) => provider === 'sandbox')
    assert.ok(free !== undefined)
    limit({ meter: 'cost', amount }, { prices: [{ ...free, provider: 'openai' }] })
    assert.equal((await rig.chat({ model: 'unknown' })).status, 200)
  })

  test('a route of which one target has no price is refused: nobody knows which one it will be', async () => {
    limit({ meter: 'cost', amount })
    assert.equal((await rig.chat({ model: 'half-known' })).faultCode, 'limits.unpriced-model')
  })

  test('pictures and sound are refused: their price goes by the piece', async () => {
    limit({ meter: 'cost', amount })
    const calls = [
      rig.call('/v1/images/generations', { body: { model: 'image', prompt: 'a lighthouse' } }),
      rig.call('/v1/audio/speech', { body: { model: 'image', input: 'hello', voice: 'alloy' } }),
    ]
    for (const { status, faultCode } of await Promise.all(calls))
      assert.deepEqual([status, faultCode], [403, 'limits.uncounted-operation'])
  })

  test('all of it is served under budgets that do not enforce, are not of money, or are for other models', async () => {
    const rules: readonly Partial<LimitRule>[] = [
      { meter: 'cost', amount, mode: 'warn' },
      { meter: 'total-tokens', amount },
      { meter: 'cost', amount, window: { kind: 'rolling', ms: 60_000, burst: null } },
      { meter: 'cost', amount, match: { ...matchesAll, models: ['gpt'] } },
    ]
    for (const rule of rules) {
      testNumber += 1
      limit(rule)
      assert.equal((await rig.chat({ model: 'unknown' })).status, 200)
      const image = await rig.call('/v1/images/generations', { body: { model: 'image', prompt: 'x' } })
      assert.equal(image.status, 200, image.text)
    }
  })

  test('embeddings, files and model lists are served', async () => {
    limit({ meter: 'cost', amount })
    const embedding = await rig.call('/v1/embeddings', { body: { model: 'embedding', input: 'hello' } })
    assert.equal(embedding.status, 200, embedding.text)
    assert.equal((await rig.call('/v1/models')).status, 200)
    assert.equal((await rig.call('/v1/files')).status, 200)
  })
})

test('what is written to a prompt cache is put aside at the price of writing', async () => {
  const price: PriceRow = {
    provider: 'openai',
    model: 'gpt-4o',
    inputPerMillion: 100,
    outputPerMillion: 0,
    cachedInputPerMillion: null,
    cacheWritePerMillion: 1000,
  }
  const words = [{ role: 'user', content: 'word '.repeat(50) }]
  // Some 57 tokens: 5,700 micro-dollars to read, 57,000 to write.
  limit({ meter: 'cost', amount: 20_000 }, { prices: [price] })
  assert.equal((await rig.chat({ messages: words, max_tokens: 5 })).faultCode, 'limits.budget-exhausted')
  testNumber += 1
  limit({ meter: 'cost', amount: 20_000 }, { prices: [{ ...price, cacheWritePerMillion: null }] })
  assert.equal((await rig.chat({ messages: words, max_tokens: 5 })).status, 200)
})
