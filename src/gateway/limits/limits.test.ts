/** Limits through a real gateway: refused, reserved, and put right however an exchange ends. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { LimitRule } from '../../domain/limits.ts'
import { type GatewayRig, rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'

const rig: GatewayRig = rigForTests((upstream) => ({
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
let name = 0
beforeEach(() => {
  name += 1
})

/** A rule with counters of its own for each test. */
function rule(own: Partial<LimitRule> = {}): LimitRule {
  return {
    id: `lim_${name}_${own.name ?? ''}`,
    organizationId: 'org_a',
    name: 'per-minute',
    meter: 'requests',
    amount: 2,
    window: { kind: 'rolling', ms: 60_000, burst: null },
    per: [],
    mode: 'enforce',
    whenExceeded: 'refuse',
    onStoreLoss: 'closed',
    alertsAt: [],
    match: { applications: null, teams: null, keys: null, users: null, models: null, products: null },
    ...own,
  }
}

function limit(...limits: LimitRule[]): void {
  const { gateway, config } = rig.started
  gateway.apply({ type: 'config', config: { ...config, limits } })
}

const say = (text: string, own: object = {}) => ({
  messages: [{ role: 'user', content: `sandbox: ${text}` }],
  ...own,
})

describe('requests', () => {
  test('beyond the limit are refused with 429, naming it, and cost the provider nothing', async () => {
    limit(rule())
    assert.equal((await rig.chat()).status, 200)
    assert.equal((await rig.chat()).status, 200)
    const refused = await rig.chat()
    assert.deepEqual([refused.status, refused.faultCode], [429, 'limits.exceeded'])
    assert.match(refused.message, /per-minute on requests/)
    assert.ok(Number(refused.headers['retry-after']) >= 29)
    assert.equal(rig.upstream.requests.length, 2)
    const record = rig.started.records.at(-1)
    assert.deepEqual(
      [record?.fault, record?.refusedBy, record?.outcome],
      ['limits.exceeded', 'per-minute', 'refused'],
    )
  })
})
