/** Calls whose answers nobody gets are paid for all the same, and count in records, limits and budgets. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { SnapshotConfig } from '../domain/snapshot.ts'
import { rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'
import { testLimit } from './harness/test-limit.ts'

const timeouts = { connectMs: 2000, firstByteMs: 300, idleMs: 300, totalMs: 5000 }
const rig = rigForTests((upstream) => ({
  deployments: [
    ...['first', 'second'].map((id) =>
      testDeployment({
        id,
        providerId: 'openai',
        baseUrl: upstream.url,
        secrets: { apiKey: `sk-${id}` },
        timeouts,
      }),
    ),
    testDeployment({
      id: 'nowhere',
      providerId: 'openai',
      // Nobody listens on port 1.
      baseUrl: 'http://127.0.0.1:1',
      secrets: { apiKey: 'sk-nowhere' },
      timeouts,
    }),
  ],
  routes: [
    testRoute('gpt', ['first'], 'gpt-4o'),
    testRoute('pair', ['first', 'second'], 'gpt-4o'),
    testRoute('gone', ['nowhere'], 'gpt-4o'),
  ],
}))

const amount = 5000
let testNumber = 0
beforeEach(() => {
  testNumber += 1
  limitTokens(amount)
})

/** So slow that nothing comes back while a test runs. */
const window = { kind: 'rolling', ms: 31 * 86_400_000, burst: null } as const

function limitTokens(tokens: number, own: Partial<SnapshotConfig> = {}): void {
  const { gateway, config } = rig.started
  const limits = [
    testLimit({ id: `tokens-${testNumber}-${tokens}`, meter: 'total-tokens', amount: tokens, window }),
  ]
  gateway.apply({ type: 'config', config: { ...config, ...own, limits } })
}

async function tokensLeft(): Promise<number> {
  const answer = await rig.call('/v1/models')
  return Number(answer.headers['x-ratelimit-remaining-tokens'])
}

const cap = 900
const body = { model: 'gpt', max_tokens: cap, messages: [{ role: 'user', content: 'sandbox: say=hello' }] }

/** Send a request and go away once the provider has it. */
async function abandon(path: string, own: object): Promise<void> {
  const abort = new AbortController()
  const call = fetch(`${rig.started.url}${path}`, {
    method: 'POST',
    signal: abort.signal,
    headers: { authorization: `Bearer ${rig.started.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(own),
  }).catch((error: unknown) => error)
  await rig.upstream.until(() => rig.upstream.requests.some(({ received }) => received))
  abort.abort()
  await call
  await rig.upstream.until(() => rig.upstream.requests.some(({ disconnected }) => disconnected))
}

/** The one record: its figures are estimates, stand against the limit, and cost what they cost. */
async function assertCharged(outputTokens: number): Promise<void> {
  const [record] = rig.started.records
  assert.ok(record !== undefined)
  assert.ok(record.inputTokens >= 5 && record.inputTokens < 40, `${record.inputTokens} tokens in`)
  assert.deepEqual([record.outputTokens, record.estimated], [outputTokens, true])
  // gpt-4o: 2.5 and 10 micro-dollars a token.
  assert.equal(record.costMicroUsd, Math.floor(record.inputTokens * 2.5 + outputTokens * 10 + 0.5))
  assert.equal(await tokensLeft(), amount - record.inputTokens - outputTokens)
}

describe('a call that ends before its answer begins', () => {
  test('a whole answer that its caller does not wait for counts as long as it may be', async () => {
    rig.upstream.failNext({ kind: 'hang' })
    await abandon('/v1/chat/completions', body)
    assert.equal(rig.started.records[0]?.outcome, 'disconnected')
    await assertCharged(cap)
  })

  test('as many answers as were asked for', async () => {
    rig.upstream.failNext({ kind: 'hang' })
    await abandon('/v1/chat/completions', { ...body, n: 3 })
    await assertCharged(3 * cap)
  })

  test('without a cap, what is expected', async () => {
    rig.upstream.failNext({ kind: 'hang' })
    await abandon('/v1/chat/completions', { ...body, max_tokens: undefined })
    await assertCharged(1024)
  })

  test('a stream that its caller does not wait for counts its input: providers end it, too', async () => {
    rig.upstream.failNext({ kind: 'hang' })
    await abandon('/v1/chat/completions', { ...body, stream: true })
    await assertCharged(0)
  })

  test('a provider that is too slow', async () => {
    rig.upstream.failNext({ kind: 'hang' })
    assert.equal((await rig.chat(body)).status, 504)
    await assertCharged(cap)
  })

  test('a connection that is reset while the provider works', async () => {
    rig.upstream.failNext({ kind: 'reset' })
    assert.equal((await rig.chat(body)).status, 502)
    await assertCharged(cap)
  })

  test('an answer that breaks off', async () => {
    rig.upstream.failNext({ kind: 'wrong-length' })
    assert.equal((await rig.chat(body)).status, 502)
    await assertCharged(cap)
  })

  test('a stream that breaks off counts what came of it, and its input once', async () => {
    rig.upstream.failNext({ kind: 'cut', afterBytes: 3000 })
    const messages = [{ role: 'user', content: 'sandbox: tokens=200' }]
    await rig.chat({ ...body, messages, stream: true })
    const tokens = rig.started.records[0]?.outputTokens ?? 0
    assert.ok(tokens > 0 && tokens < 200, `${tokens} tokens`)
    await assertCharged(tokens)
  })
})

describe('nothing is charged', () => {
  test('where the provider refuses', async () => {
    rig.upstream.failNext({ kind: 'status', status: 500 })
    assert.equal((await rig.chat(body)).status, 500)
    assert.equal(await tokensLeft(), amount)
    assert.equal(rig.started.records[0]?.costMicroUsd, 0)
  })

  test('where the provider cannot be reached', async () => {
    assert.equal((await rig.chat({ ...body, model: 'gone' })).status, 502)
    assert.equal(await tokensLeft(), amount)
    assert.equal(rig.started.records[0]?.costMicroUsd, 0)
  })

  test('for an operation that is free', async () => {
    rig.upstream.failNext({ kind: 'hang' })
    const deployments = rig.started.config.deployments.map((each) => ({ ...each, providerId: 'anthropic' }))
    limitTokens(amount, { deployments })
    await abandon('/v1/messages/count_tokens', body)
    assert.equal(await tokensLeft(), amount)
  })
})

describe('a further try after a call that was lost', () => {
  test('counts beside the one that is answered', async () => {
    rig.upstream.failNext({ kind: 'hang' })
    assert.equal((await rig.chat({ ...body, model: 'pair' })).status, 200)
    const [record] = rig.started.records
    assert.deepEqual([record?.attempts, record?.estimated], [2, true])
    const output = record?.outputTokens ?? 0
    assert.ok(output > cap && output < cap + 50, `${output} tokens out`)
    assert.equal(await tokensLeft(), amount - (record?.inputTokens ?? 0) - output)
  })

  test('is not made where the tokens of both have no room', async () => {
    limitTokens(cap + 100)
    rig.upstream.failNext({ kind: 'hang' })
    assert.equal((await rig.chat({ ...body, model: 'pair' })).status, 504)
    assert.equal(rig.upstream.requests.length, 1)
  })

  test('is made where the first never reached its provider', async () => {
    limitTokens(cap + 100, { routes: [testRoute('mixed', ['nowhere', 'second'], 'gpt-4o')] })
    assert.equal((await rig.chat({ ...body, model: 'mixed' })).status, 200)
    assert.equal(rig.started.records[0]?.estimated, false)
  })
})
