/** Load shedding under a loop that is really blocked, and near a bound of memory that is really passed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PlanSnapshot, type PriorityClass, priorityClasses } from '../domain/limits.ts'
import type { KeySnapshot } from '../domain/snapshot.ts'
import { compilePeppers, hashApiKey, mintApiKey } from '../identity/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { rigForTests } from './harness/gateway-rig.ts'
import { testBounds } from './harness/start-gateway.ts'
import { LoadGauge } from './load-gauge.ts'

const rig = rigForTests(() => ({}))

const planOf = (priority: PriorityClass): PlanSnapshot => ({
  id: priority,
  organizationId: 'org_a',
  slug: priority,
  limits: [],
  priority,
  weight: 1,
  queue: { maxWaitMs: 1000, maxLength: 1 },
})

/** An application with a key for each class. */
function applyBounds(bounds: {
  readonly loopDelayMs: number
  readonly memoryBytes: number
}): Map<PriorityClass, string> {
  const { gateway, config, key } = rig.started
  const pepper = compilePeppers(config.peppers).get(1)
  assert.ok(pepper)
  const keys = new Map<PriorityClass, string>()
  const upsert: KeySnapshot[] = []
  for (const priority of priorityClasses) {
    const { keyId, text } = mintApiKey('test')
    const secrets = [{ hash: hashApiKey(text, pepper), pepperVersion: 1, expiresAt: null }]
    upsert.push({ ...key, keyId, applicationId: `app_${priority}`, secrets })
    keys.set(priority, text)
  }
  const applications = priorityClasses.map((priority) => ({
    id: `app_${priority}`,
    organizationId: 'org_a',
    team: '',
    grants: [{ productId: 'prd_a', models: ['*'], operations: ['*'], planId: priority }],
  }))
  const plans = priorityClasses.map(planOf)
  gateway.apply({
    type: 'config',
    config: { ...config, applications, plans, bounds: { ...testBounds, ...bounds } },
  })
  gateway.apply({ type: 'keys', version: 2, reset: false, upsert, remove: [] })
  return keys
}

const callAs = (text: string | undefined) =>
  rig.call('/v1/models', { authorized: false, headers: { authorization: `Bearer ${text}` } })

function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('while the loop is blocked again and again, low priority is turned away and the highest is served', async () => {
  const keys = applyBounds({ loopDelayMs: 100, memoryBytes: 0 })
  for (let at = 0; at < 3; at += 1) {
    block(300)
    // Until timers have run: the gauge's is one of them.
    await sleep(1)
  }
  const { loopDelayMs } = rig.started.gateway.load
  assert.ok(loopDelayMs > 100 && loopDelayMs < 400, `${loopDelayMs}`)
  const low = await callAs(keys.get('low'))
  assert.deepEqual([low.status, low.faultCode, low.headers['retry-after']], [503, 'capacity.overloaded', '1'])
  assert.equal((await callAs(keys.get('critical'))).status, 200)
  assert.equal((await rig.call('/livez', { authorized: false })).status, 200)
  assert.equal((await rig.call('/readyz', { authorized: false })).status, 200)
  assert.deepEqual(
    [rig.started.records[0]?.fault, rig.started.gateway.load.shed.low],
    ['capacity.overloaded', 1],
  )
  assert.match(rig.started.notes[0]?.internal ?? '', /^turning away .*low: the event loop is \d+ ms late/)
  let status = 503
  for (let at = 0; at < 60 && status === 503; at += 1) {
    await sleep(50)
    status = (await callAs(keys.get('low'))).status
  }
  assert.equal(status, 200, 'once the loop is free again everybody is served')
})

test('a single pause turns nobody away', async () => {
  const keys = applyBounds({ loopDelayMs: 500, memoryBytes: 0 })
  block(400)
  await sleep(1)
  assert.equal((await callAs(keys.get('low'))).status, 200)
})

test('over the bound of memory health answers alone', async () => {
  const keys = applyBounds({ loopDelayMs: 60_000, memoryBytes: 1 })
  await sleep(120)
  for (const priority of priorityClasses) assert.equal((await callAs(keys.get(priority))).status, 503)
  assert.equal((await rig.call('/livez', { authorized: false })).status, 200)
  assert.ok(rig.started.gateway.load.memoryBytes > 1_000_000)
  applyBounds({ loopDelayMs: 0, memoryBytes: 1 })
  assert.equal((await callAs(keys.get('low'))).status, 200)
})

test('near the bound of memory classes are turned away one after the other', async () => {
  for (const [share, shed] of [
    [0.84, []],
    [0.86, ['low']],
    [0.91, ['normal', 'low']],
    [0.96, ['high', 'normal', 'low']],
    [1, ['critical', 'high', 'normal', 'low']],
  ] as const) {
    const gauge = new LoadGauge({ clock: systemClock, readMemory: () => share * 1_000_000 })
    gauge.watch({ loopDelayMs: 60_000, memoryBytes: 1_000_000 })
    await sleep(70)
    assert.deepEqual(
      priorityClasses.filter((priority) => gauge.sheds(priority)),
      shed,
    )
    gauge.stop()
    assert.equal(gauge.sheds('low'), false)
  }
})
