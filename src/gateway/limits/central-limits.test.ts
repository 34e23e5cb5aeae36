/** Limits whose counters are elsewhere: the pipeline waits for them, and an exchange that ends meanwhile holds nothing. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemoryCounterStore } from '../../adapters/memory/memory-central-counters.ts'
import type { LimitRule } from '../../domain/limits.ts'
import type { CentralCounters } from '../../ports/central-counters.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'
import { testLimit } from '../harness/test-limit.ts'

const store = createMemoryCounterStore({ now: Date.now, ttlMs: 60_000 })
const here = store.open('here')
const elsewhere = store.open('elsewhere')
/** Leases take this long to come. */
let delayMs = 0
const slowly: CentralCounters = {
  take: (entries) => here.take(entries),
  adjust: (entries) => here.adjust(entries),
  async lease(requests) {
    await sleep(delayMs)
    return here.lease(requests)
  },
  settle: (parts) => here.settle(parts),
  renew: () => here.renew(),
  forget: () => here.forget(),
  read: (keys) => here.read(keys),
  close: () => here.close(),
}

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
  central: slowly,
}))
let testNumber = 0
beforeEach(() => {
  testNumber += 1
  delayMs = 20
})

const month = { kind: 'calendar', period: 'month', timeZone: 'UTC' } as const

function limit(own: Partial<LimitRule> & Pick<LimitRule, 'id'>): void {
  const { gateway, config } = rig.started
  const limits = [testLimit({ name: own.id, ...own, id: `${own.id}-${testNumber}` })]
  gateway.apply({ type: 'config', config: { ...config, limits } })
}

test('an exchange waits for the first lease, is served, and refused when there is nothing left', async () => {
  limit({ id: 'month', amount: 2, window: month })
  assert.equal((await rig.chat()).status, 200)
  assert.equal((await rig.chat()).status, 200)
  const refused = await rig.chat()
  assert.deepEqual([refused.status, refused.faultCode], [429, 'limits.budget-exhausted'])
  assert.match(String(refused.headers['ratelimit']), /^"month";r=0;t=\d+$/)
  assert.equal(rig.upstream.requests.length, 2)
})

test('so does one that has proven nothing yet', async () => {
  limit({ id: 'addresses', amount: 1, per: ['address'] })
  assert.equal((await rig.chat()).status, 200)
  assert.equal((await rig.chat()).faultCode, 'limits.exceeded')
})

test('one that goes away while it waits takes no place', async () => {
  limit({ id: 'place', meter: 'concurrent-requests', amount: 1, window: null })
  delayMs = 150
  const abort = new AbortController()
  const gone = fetch(`${rig.started.url}/v1/chat/completions`, {
    method: 'POST',
    signal: abort.signal,
    headers: { authorization: `Bearer ${rig.started.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt', messages: [{ role: 'user', content: 'hello' }] }),
  }).catch((error: unknown) => error)
  await sleep(50)
  abort.abort()
  await gone
  for (let turn = 0; rig.started.records.length === 0 && turn < 250; turn += 1) await sleep(20)
  assert.equal(rig.upstream.requests.length, 0)
  assert.equal(rig.started.records[0]?.outcome, 'disconnected')
  assert.equal((await rig.chat()).status, 200)
})

test('one that may wait is served once another node gives its place back', async () => {
  limit({ id: 'place', meter: 'concurrent-requests', amount: 1, window: null, whenExceeded: 'queue' })
  const key = `{org_a}place-${testNumber}:`
  const place = { key, terms: { kind: 'concurrency', amount: 1 } } as const
  assert.equal((await elsewhere.take([{ ...place, units: 1 }])).taken, true)
  const waiter = rig.chat()
  for (let at = 0; at < 400 && rig.started.gateway.queue.waiting === 0; at += 1) await sleep(5)
  await elsewhere.adjust([{ ...place, units: -1 }])
  assert.equal((await waiter).status, 200)
  assert.equal(rig.started.gateway.queue.served, 1)
})
