/** The store's contract: plans, limits that stand alone, what raises them, and policies. */
import assert from 'node:assert/strict'
import { planRuleId } from '../domain/limits.ts'
import {
  type OpenStore,
  rejectsWith,
  sampleGuard,
  sampleLimit,
  samplePlan,
  samplePolicy,
  sampleProduct,
  sampleSubscription,
  sampleTopUp,
  start,
  storeTest,
} from './store.contract-samples.ts'

export function testLimits(open: OpenStore): void {
  const check = storeTest(open)

  check('plans, limits and top-ups come back as they were stored', async (store) => {
    const plan = samplePlan('org_a', 'pln_1')
    const limit = sampleLimit('org_a', 'lim_1')
    const atOnce = { ...sampleLimit('org_a', 'lim_2'), meter: 'concurrent-streams', window: null } as const
    const topUps = [
      sampleTopUp('org_a', 'tup_1', 'lim_1'),
      sampleTopUp('org_a', 'tup_2', planRuleId('pln_1', 'monthly')),
    ]
    await store.plans.create(plan)
    await store.limits.create(limit)
    await store.limits.create(atOnce)
    for (const topUp of topUps) await store.topUps.create(topUp)
    assert.deepEqual(await store.plans.find('org_a', 'pln_1'), plan)
    assert.deepEqual(await store.limits.find('org_a', 'lim_1'), limit)
    assert.deepEqual(await store.limits.get('org_a', 'lim_2'), atOnce)
    assert.deepEqual((await store.topUps.list('org_a')).items, topUps)
    assert.deepEqual((await store.topUps.list('org_a', { limitId: 'lim_1' })).items, topUps.slice(0, 1))
    const records = await store.loadConfiguration()
    assert.deepEqual([records.plans, records.limits, records.topUps], [[plan], [limit, atOnce], topUps])
  })

  check(
    'guards come back as they were stored, move the version, and hold their organization',
    async (store) => {
      const guard = sampleGuard('org_a', 'grd_1')
      const before = (await store.versions()).configuration
      await store.guards.create(guard)
      assert.deepEqual(await store.guards.find('org_a', 'grd_1'), guard)
      assert.equal(await store.guards.find('org_b', 'grd_1'), null)
      assert.deepEqual((await store.loadConfiguration()).guards, [guard])
      const patch = { rules: null, threshold: 1, action: 'block' } as const
      const changed = await store.guards.update('org_a', 'grd_1', { patch, now: start + 1 })
      assert.deepEqual(changed, { ...guard, ...patch, updatedAt: start + 1 })
      assert.ok((await store.versions()).configuration > before)
      await store.guards.remove('org_a', 'grd_1')
      assert.deepEqual((await store.guards.list('org_a')).items, [])
    },
  )
  check('policies come back as they were stored, within their organization alone', async (store) => {
    const policy = samplePolicy('org_a', 'pol_1')
    const before = (await store.versions()).configuration
    await store.policies.create(policy)
    assert.notEqual((await store.versions()).configuration, before)
    assert.deepEqual(await store.policies.find('org_a', 'pol_1'), policy)
    assert.equal(await store.policies.get('org_b', 'pol_1'), null)
    await rejectsWith(store.policies.create({ ...policy, id: 'pol_2' }), 'admin.conflict')
    const patch = { enabled: false, revision: 2 }
    await store.policies.update('org_a', 'pol_1', { patch, now: start + 1 })
    const { policies } = await store.loadConfiguration()
    assert.deepEqual(policies, [{ ...policy, ...patch, updatedAt: start + 1 }])
    await store.policies.remove('org_a', 'pol_1')
    assert.equal(await store.policies.get('org_a', 'pol_1'), null)
  })

  check('an application belongs to a team, and moves to another', async (store) => {
    await store.applications.update('org_a', 'app_org_a', { patch: { team: 'research' }, now: start + 1 })
    assert.equal((await store.applications.get('org_a', 'app_org_a'))?.team, 'research')
  })

  check('a subscription takes a plan and leaves it; a plan in use stays', async (store) => {
    await store.products.create(sampleProduct('org_a', 'prod_1'))
    await store.plans.create(samplePlan('org_a', 'pln_1'))
    await store.subscriptions.create(sampleSubscription('org_a', 'sub_1', { planId: 'pln_1' }))
    assert.equal((await store.subscriptions.get('org_a', 'sub_1'))?.planId, 'pln_1')
    await rejectsWith(store.plans.remove('org_a', 'pln_1'), 'admin.in-use')
    await store.subscriptions.update('org_a', 'sub_1', { patch: { planId: null }, now: start + 1 })
    assert.equal((await store.subscriptions.get('org_a', 'sub_1'))?.planId, null)
    await store.plans.remove('org_a', 'pln_1')
  })

  check(
    "another organization's plans, limits and top-ups are absent, and cannot be referred to",
    async (store) => {
      await store.products.create(sampleProduct('org_a', 'prod_1'))
      await store.plans.create(samplePlan('org_b', 'pln_b'))
      await store.limits.create(sampleLimit('org_b', 'lim_b'))
      await store.topUps.create(sampleTopUp('org_b', 'tup_b', 'lim_b'))
      assert.equal(await store.plans.get('org_a', 'pln_b'), null)
      assert.equal(await store.limits.find('org_a', 'lim_b'), null)
      assert.equal(await store.topUps.get('org_a', 'tup_b'), null)
      for (const table of [store.plans, store.limits, store.topUps] as const) {
        assert.deepEqual((await table.list('org_a')).items, [])
      }
      await rejectsWith(store.topUps.remove('org_a', 'tup_b'), 'admin.not-found')
      await rejectsWith(
        store.plans.update('org_a', 'pln_b', { patch: { name: 'x' }, now: start + 1 }),
        'admin.not-found',
      )
      await rejectsWith(
        store.subscriptions.create(sampleSubscription('org_a', 'sub_1', { planId: 'pln_b' })),
        'admin.not-found',
      )
      for (const limitId of ['lim_b', planRuleId('pln_b', 'monthly')]) {
        await rejectsWith(store.topUps.create(sampleTopUp('org_a', 'tup_a', limitId)), 'admin.not-found')
      }
    },
  )

  check('names are unique within the organization, and the same elsewhere', async (store) => {
    await store.plans.create(samplePlan('org_a', 'pln_1'))
    await store.limits.create(sampleLimit('org_a', 'lim_1'))
    await rejectsWith(
      store.plans.create({ ...samplePlan('org_a', 'pln_2'), slug: 'pln_1' }),
      'admin.conflict',
    )
    await rejectsWith(
      store.limits.create({ ...sampleLimit('org_a', 'lim_2'), name: 'lim_1' }),
      'admin.conflict',
    )
    await store.plans.create({ ...samplePlan('org_b', 'pln_2'), slug: 'pln_1' })
    await store.limits.create({ ...sampleLimit('org_b', 'lim_2'), name: 'lim_1' })
  })

  check('a top-up names a limit that is there, and goes with it', async (store) => {
    await rejectsWith(store.topUps.create(sampleTopUp('org_a', 'tup_1', 'lim_1')), 'admin.not-found')
    await store.plans.create(samplePlan('org_a', 'pln_1'))
    await store.limits.create(sampleLimit('org_a', 'lim_1'))
    const unknown = planRuleId('pln_1', 'unknown')
    await rejectsWith(store.topUps.create(sampleTopUp('org_a', 'tup_1', unknown)), 'admin.not-found')
    await store.topUps.create(sampleTopUp('org_a', 'tup_1', 'lim_1'))
    await store.topUps.create(sampleTopUp('org_a', 'tup_2', planRuleId('pln_1', 'rate')))
    await store.limits.remove('org_a', 'lim_1')
    assert.deepEqual(
      (await store.topUps.list('org_a')).items.map(({ id }) => id),
      ['tup_2'],
    )
    await store.plans.remove('org_a', 'pln_1')
    assert.deepEqual((await store.topUps.list('org_a')).items, [])
  })

  check('each change of limits moves the version that the data plane follows', async (store) => {
    let { configuration } = await store.versions()
    const moved = async (): Promise<void> => {
      const now = await store.versions()
      assert.ok(now.configuration > configuration)
      configuration = now.configuration
    }
    await store.limits.create(sampleLimit('org_a', 'lim_1'))
    await moved()
    await store.topUps.create(sampleTopUp('org_a', 'tup_1', 'lim_1'))
    await moved()
    await store.topUps.remove('org_a', 'tup_1')
    await moved()
    await store.plans.create(samplePlan('org_a', 'pln_1'))
    await moved()
  })
}
