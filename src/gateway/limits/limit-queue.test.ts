/** Exchanges that wait their turn instead of being refused, through a real gateway. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import type { LimitRule, PlanSnapshot, PriorityClass, QueueTerms } from '../../domain/limits.ts'
import type { KeySnapshot } from '../../domain/snapshot.ts'
import { compilePeppers, hashApiKey, mintApiKey } from '../../identity/index.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'
import { testLimit } from '../harness/test-limit.ts'

const rig = rigForTests((upstream) => ({
  deployments: [
    testDeployment({
      id: 'openai',
      providerId: 'openai',
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0001' },
    }),
  ],
  routes: [testRoute('gpt', ['openai'], 'gpt-4o')],
}))
let testNumber = 0
beforeEach(() => {
  testNumber += 1
})

const onePlace = { meter: 'concurrent-requests', amount: 1, window: null, whenExceeded: 'queue' } as const
const patient: QueueTerms = { maxWaitMs: 5000, maxLength: 20 }

function plan(id: string, own: Partial<PlanSnapshot> = {}): PlanSnapshot {
  return {
    id,
    organizationId: 'org_a',
    slug: id,
    limits: [],
    priority: 'normal',
    weight: 1,
    queue: patient,
    ...own,
  }
}

/** Rules with counters of their own for each test, and an application for each plan. */
function limit(
  rules: readonly (Partial<LimitRule> & Pick<LimitRule, 'id'>)[],
  plans = [plan('usual')],
): void {
  const { gateway, config } = rig.started
  const limits = rules.map((own) => ({
    ...testLimit({ name: own.id, ...own }),
    id: `${own.id}-${testNumber}`,
  }))
  const applications = plans.map(({ id }, at) => ({
    id: at === 0 ? 'app_a' : `app_${id}`,
    organizationId: 'org_a',
    team: '',
    grants: [{ productId: 'prd_a', models: ['*'], operations: ['*'], planId: id }],
  }))
  gateway.apply({ type: 'config', config: { ...config, limits, plans, applications } })
}

/** A key of another application. */
function keyOf(applicationId: string): string {
  const { gateway, config, key } = rig.started
  const pepper = compilePeppers(config.peppers).get(1)
  assert.ok(pepper)
  const minted = mintApiKey('test')
  const secrets = [{ hash: hashApiKey(minted.text, pepper), pepperVersion: 1, expiresAt: null }]
  const other: KeySnapshot = { ...key, keyId: minted.keyId, applicationId, secrets }
  gateway.apply({ type: 'keys', version: testNumber + 1, reset: false, upsert: [other], remove: [] })
  return minted.text
}

const slowly = (ms: number) => ({ messages: [{ role: 'user', content: `sandbox: delay=${ms}ms tokens=2` }] })
const waiting = () => rig.started.gateway.queue.waiting
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 3000
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it did not come to be')
    await sleep(2)
  }
}

test('who finds no place waits for one, and is served in order of arrival', async () => {
  limit([{ id: 'place', ...onePlace }])
  const order: number[] = []
  const calls = [0, 1, 2].map(async (at) => {
    await sleep(at * 20)
    const answer = await rig.chat(slowly(80))
    order.push(at)
    return answer
  })
  const answers = await Promise.all(calls)
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  )
  assert.deepEqual(order, [0, 1, 2])
  assert.match(String(answers[2]?.headers['server-timing']), /reserve;dur=\d/)
  assert.equal(waiting(), 0)
})

test('tokens that come back wake the queue: nobody waits for the clock where others used less', async () => {
  limit([{ id: 'tokens', meter: 'total-tokens', amount: 1000, whenExceeded: 'queue' }])
  const began = performance.now()
  const ask = () => rig.chat({ ...slowly(100), max_tokens: 700 })
  const answers = await Promise.all([ask(), ask(), ask()])
  assert.ok(answers.every(({ status }) => status === 200))
  // Each reserves 700 of 1000 and uses a few: by the clock the second would wait for 24 seconds.
  assert.ok(performance.now() - began < 2000)
})

test('a newcomer does not go before those who wait', async () => {
  limit([
    {
      id: 'tokens',
      meter: 'total-tokens',
      amount: 1000,
      window: { kind: 'rolling', ms: 31 * 86_400_000, burst: null },
      whenExceeded: 'queue',
    },
  ])
  const order: string[] = []
  const ask = async (name: string, tokens: number, ms: number) => {
    const answer = await rig.chat({ ...slowly(ms), max_tokens: tokens })
    assert.equal(answer.status, 200)
    order.push(name)
  }
  const first = ask('first', 600, 300)
  await until(() => rig.started.gateway.open === 1 && rig.upstream.requests.length === 1)
  const large = ask('large', 800, 0)
  await until(() => waiting() === 1)
  // It would fit at once.
  const small = ask('small', 50, 0)
  await Promise.all([first, large, small])
  assert.deepEqual(order.slice(0, 2), ['first', 'large'])
})

test('the wait and the length of the queue are bounded, and say so', async () => {
  limit([{ id: 'place', ...onePlace }], [plan('short', { queue: { maxWaitMs: 150, maxLength: 1 } })])
  const holder = rig.chat(slowly(600))
  await until(() => rig.upstream.requests.length === 1)
  const waiter = rig.chat()
  await until(() => waiting() === 1)
  const tooMany = await rig.chat()
  assert.deepEqual([tooMany.status, tooMany.faultCode], [429, 'limits.queue-full'])
  const tooLong = await waiter
  assert.deepEqual([tooLong.status, tooLong.faultCode], [429, 'limits.queue-wait-over'])
  assert.ok(Number(tooLong.headers['retry-after']) >= 1)
  assert.equal((await holder).status, 200)
  const faults = rig.started.records.map(({ fault, refusedBy }) => [fault, refusedBy])
  assert.deepEqual(faults, [
    ['limits.queue-full', 'place'],
    ['limits.queue-wait-over', 'place'],
    ['', undefined],
  ])
})

test('nobody waits for what does not come in time', async () => {
  limit([{ id: 'requests', amount: 1, whenExceeded: 'queue' }])
  await rig.chat()
  const began = performance.now()
  const refused = await rig.chat()
  assert.deepEqual([refused.status, refused.faultCode], [429, 'limits.exceeded'])
  assert.ok(performance.now() - began < 1000)
})

test('who goes away, or loses the key, leaves the queue and takes nothing', async () => {
  limit([{ id: 'place', ...onePlace }], [plan('usual'), plan('other')])
  const otherKey = keyOf('app_other')
  const holder = rig.chat(slowly(400))
  await until(() => rig.upstream.requests.length === 1)
  const abort = new AbortController()
  const gone = fetch(`${rig.started.url}/v1/chat/completions`, {
    method: 'POST',
    signal: abort.signal,
    headers: { authorization: `Bearer ${rig.started.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt', ...slowly(0) }),
  }).catch((error: unknown) => error)
  const revoked = rig.chat({}, { authorization: `Bearer ${otherKey}` })
  await until(() => waiting() === 2)
  abort.abort()
  await gone
  await until(() => waiting() === 1)
  const keyId = otherKey.split('_')[2] ?? ''
  rig.started.gateway.apply({ type: 'keys', version: 99, reset: false, upsert: [], remove: [keyId] })
  assert.equal((await revoked).faultCode, 'auth.key-revoked')
  assert.equal(waiting(), 0)
  assert.equal((await holder).status, 200)
  assert.equal((await rig.chat()).status, 200)
  assert.equal(rig.upstream.requests.length, 2)
})

async function orderOf(plans: readonly PlanSnapshot[], arrivals: readonly number[]): Promise<string> {
  limit([{ id: 'place', ...onePlace }], [plan('holder'), ...plans])
  const keys = plans.map(({ id }) => keyOf(`app_${id}`))
  const holder = rig.chat(slowly(250))
  await until(() => rig.upstream.requests.length === 1)
  let order = ''
  const calls = arrivals.map(async (which, at) => {
    await until(() => waiting() === at)
    const answer = await request(`${rig.started.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys[which]}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt', ...slowly(0) }),
    })
    await answer.body.dump()
    assert.equal(answer.statusCode, 200)
    order += plans[which]?.id ?? ''
  })
  await Promise.all([...calls, holder])
  return order
}

test('applications take turns, whoever came first and sends most', async () => {
  assert.equal(await orderOf([plan('a'), plan('b')], [0, 0, 0, 0, 1, 1]), 'ababaa')
})

test('a plan with twice the weight has two turns', async () => {
  assert.equal(await orderOf([plan('a'), plan('b', { weight: 2 })], [0, 0, 0, 1, 1, 1, 1]), 'abbabba')
})

test('a plan of higher priority goes first', async () => {
  const of = (id: string, priority: PriorityClass) => plan(id, { priority })
  assert.equal(
    await orderOf([of('l', 'low'), of('n', 'normal'), of('c', 'critical')], [0, 1, 2, 0, 2]),
    'ccnll',
  )
})
