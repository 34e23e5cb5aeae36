/**
 * Public incidents of other gateways with limits and budgets, by number of the survey, and that they cannot happen
 * here. Two gateways share their counters as two workers of one node do.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { defaultCounterSizes } from '../../src/adapters/shared-counters/layout.ts'
import { createSharedCounters } from '../../src/adapters/shared-counters/shared-counters.ts'
import type { LimitRule } from '../../src/domain/limits.ts'
import { operations } from '../../src/domain/operations.ts'
import { type Answer, type GatewayRig, startRig } from '../../src/gateway/harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../../src/gateway/harness/start-gateway.ts'
import { testLimit } from '../../src/gateway/harness/test-limit.ts'

let workers: readonly GatewayRig[] = []
let round = 0

before(async () => {
  const counters = createSharedCounters({ ...defaultCounterSizes, slots: 4096, owners: 2 })
  const start = (counterOwner: number) =>
    startRig((upstream) => ({
      deployments: [
        testDeployment({
          id: 'openai',
          providerId: 'openai',
          baseUrl: upstream.url,
          secrets: { apiKey: 'sk-1' },
        }),
      ],
      routes: [testRoute('gpt', ['openai'], 'gpt-4o')],
      counters,
      counterOwner,
    }))
  workers = await Promise.all([start(0), start(1)])
})
after(() => Promise.all(workers.map((worker) => worker.stop())))
beforeEach(() => {
  round += 1
})

function limit(own: Partial<LimitRule> & Pick<LimitRule, 'id'>): void {
  for (const { started } of workers) {
    const limits = [{ ...testLimit(own), id: `${own.id}-${round}` }]
    started.gateway.apply({ type: 'config', config: { ...started.config, limits } })
  }
}

/** `count` chats at once, spread over the workers. */
function chatAtOnce(count: number, own: object): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => chatOf(at, own)))
}

function chatOf(at: number, own: object): Promise<Answer> {
  const worker = workers[at % workers.length]
  if (worker === undefined) throw new RangeError('no worker')
  return worker.chat(own)
}

const served = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 200)
const asking = (tokens: number, directives = '') => ({
  max_tokens: tokens,
  messages: [{ role: 'user', content: `sandbox: tokens=${tokens}${directives}` }],
})

test('11: a money budget holds while many ask at once, and nobody under it is refused', async () => {
  // gpt-4o: 2.50 and 10 US dollars for a million tokens; a call of these may cost up to 330 micro-dollars.
  const amount = 2000
  limit({
    id: 'money',
    meter: 'cost',
    amount,
    window: { kind: 'calendar', period: 'month', timeZone: 'UTC' },
  })
  let spent = 0
  for (let turn = 0; turn < 6; turn += 1) {
    const answers = await chatAtOnce(12, asking(30))
    for (const { headers } of served(answers)) spent += Number(headers['x-gatewright-cost-usd']) * 1_000_000
    assert.ok(answers.every(({ status }) => status === 200 || status === 429))
  }
  assert.ok(spent <= amount, `${spent}`)
  assert.ok(spent > amount - 400, `${spent} is less than could be had`)
})

test('12: pass-through operations count like all others, and are refused before their body is sent on', async () => {
  const [worker] = workers
  assert.ok(worker)
  for (const operation of operations.filter(({ trafficClass }) => trafficClass === 'P')) {
    round += 1
    limit({ id: 'one', amount: 1 })
    const path = operation.path.replace('{rest}', 'x')
    const form = '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\ngpt\r\n--b--\r\n'
    const body =
      operation.request === 'none'
        ? {}
        : operation.model === 'form'
          ? { body: form }
          : { body: { model: 'gpt' } }
    const headers = operation.model === 'form' ? { 'content-type': 'multipart/form-data; boundary=b' } : {}
    const call = (): Promise<Answer> => worker.call(path, { method: operation.method, headers, ...body })
    assert.notEqual((await call()).status, 429, operation.id)
    const sentBefore: number = worker.upstream.requests.length
    assert.equal((await call()).status, 429, operation.id)
    assert.equal(worker.upstream.requests.length, sentBefore, operation.id)
  }
})

test('14: eight at once against 100 tokens a minute use no more than 100, over all workers', async () => {
  limit({ id: 'tokens', meter: 'total-tokens', amount: 100 })
  let used = 0
  for (let turn = 0; turn < 5; turn += 1) {
    for (const answer of served(await chatAtOnce(8, asking(20))))
      used += (answer.json()['usage'] as { total_tokens: number }).total_tokens
  }
  // A few come back while the test runs; the error of one estimate is on top.
  assert.ok(used > 50 && used <= 110, `${used} of 100 tokens`)
})

test('15: exchanges under way are bounded, over all workers', async () => {
  limit({ id: 'places', meter: 'concurrent-requests', amount: 3, window: null, per: ['organization'] })
  const answers = await chatAtOnce(10, asking(5, ' delay=200ms'))
  assert.equal(served(answers).length, 3)
  assert.equal(served(await chatAtOnce(3, asking(5))).length, 3, 'places come back')
})
