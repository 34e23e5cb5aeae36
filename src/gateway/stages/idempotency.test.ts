import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClaimOutcome, IdempotencyBook } from '../../ports/idempotency.ts'
import type { Exchange } from '../exchange.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'
import { claimIdempotency } from './idempotency.ts'

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
}))

let count = 0
const freshKey = (): string => {
  count += 1
  return `key-${count}`
}
const chat = (key: string, own: object = {}) => rig.chat(own, { 'idempotency-key': key })

test('a repeated request is answered as before, under an id of its own, and is not run again', async () => {
  const key = freshKey()
  const first = await chat(key)
  const again = await chat(key)
  assert.deepEqual([again.status, again.text], [200, first.text])
  assert.equal(again.headers['x-gatewright-idempotent-replay'], 'true')
  assert.notEqual(again.headers['x-request-id'], first.headers['x-request-id'])
  assert.equal(rig.upstream.requests.length, 1)
  const [, replayed] = rig.started.records
  assert.deepEqual(
    [replayed?.attempts, replayed?.inputTokens, replayed?.costMicroUsd],
    [0, 0, null],
    'not billed twice',
  )
})

test('streams are replayed whole', async () => {
  const key = freshKey()
  const first = await chat(key, { stream: true })
  const again = await chat(key, { stream: true })
  assert.equal(again.text, first.text)
  assert.equal(again.headers['content-type'], first.headers['content-type'])
})

test('a repeat while the first runs is refused and told when to come again', async () => {
  const key = freshKey()
  const slow = { messages: [{ role: 'user', content: 'sandbox: delay=200ms\nsandbox: say=late' }] }
  const first = chat(key, slow)
  await rig.upstream.until(() => rig.upstream.requests.length === 1)
  const beside = await chat(key, slow)
  assert.deepEqual(
    [beside.status, beside.faultCode, beside.headers['retry-after']],
    [409, 'idempotency.conflict', '1'],
  )
  assert.equal((await first).status, 200)
  assert.equal((await chat(key, slow)).headers['x-gatewright-idempotent-replay'], 'true')
})

test('another request under the same key is a mistake', async () => {
  const key = freshKey()
  await chat(key)
  const other = await chat(key, { user: 'other' })
  assert.deepEqual([other.status, other.faultCode], [422, 'idempotency.mismatch'])
})

test('failures, refusals and broken answers are not kept: the retry runs', async () => {
  const faults = [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 429 },
    { kind: 'status', status: 400 },
    { kind: 'reset' },
  ] as const
  for (const fault of faults) {
    const key = freshKey()
    rig.upstream.failNext(fault)
    assert.ok((await chat(key)).status >= 400)
    const retry = await chat(key)
    assert.deepEqual([retry.status, retry.headers['x-gatewright-idempotent-replay']], [200, undefined])
  }
  const key = freshKey()
  rig.upstream.failNext({ kind: 'cut', afterBytes: 500 })
  const stream = { stream: true, messages: [{ role: 'user', content: 'sandbox: tokens=30' }] }
  assert.match((await chat(key, stream)).text, /upstream\.broken/)
  assert.match((await chat(key, stream)).text, /\[DONE\]/)
})

test('a reply beyond the bound is not kept', async () => {
  const key = freshKey()
  const body = JSON.stringify({ choices: [], filler: 'x'.repeat(1_100_000) })
  rig.upstream.failNext({ kind: 'status', status: 200, body })
  assert.equal((await chat(key)).text.length, body.length)
  assert.equal((await chat(key)).headers['x-gatewright-idempotent-replay'], undefined)
})

test('a key that is no plain text is refused', async () => {
  for (const key of ['a b', 'x'.repeat(256)]) {
    const answer = await chat(key)
    assert.deepEqual([answer.status, answer.faultCode], [400, 'request.invalid-field'])
  }
})

test('where nobody can say whether a request ran, it is not run', () => {
  const exchange = { ...claimable(), fail: (error: unknown) => failures.push(error) }
  const failures: unknown[] = []
  const claimed = (_: unknown, done: (outcome: ClaimOutcome) => void): void => done({ kind: 'unavailable' })
  const idempotency = { claim: claimed } as unknown as IdempotencyBook
  claimIdempotency(exchange as unknown as Exchange, { idempotency } as never)
  assert.match(String(failures[0]), /capacity\.not-ready/)
})

function claimable(): object {
  return {
    inbound: { headers: ['idempotency-key', 'k'], target: '/v1/chat/completions' },
    key: { keyId: 'key_a' },
    operation: { method: 'POST' },
    body: Buffer.alloc(0),
    facts: null,
    bodyPending: false,
    outcome: 'open',
  }
}

test('property: however many send one key at once, the upstream is called once a key', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 12 }),
      async (choices) => {
        rig.upstream.clear()
        const keys = [freshKey(), freshKey(), freshKey()]
        const answers = await Promise.all(choices.map((choice) => chat(keys[choice] ?? '')))
        assert.equal(rig.upstream.requests.length, new Set(choices).size)
        assert.ok(answers.every(({ status }) => status === 200 || status === 409))
      },
    ),
    { numRuns: 15 },
  )
})
