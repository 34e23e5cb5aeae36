import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const month = { calendar: 'month' }

test(
  'a counter of a limit is raised, now unless said otherwise',
  withAdmin(async (admin) => {
    const limit = { name: 'budget', meter: 'cost', amount: 5, window: month, per: ['team', 'model'] }
    const { id } = (await admin.call('limit-create', { body: limit })).body
    const body = { limit: 'budget', subject: 'research|gpt', amount: 2.5, note: 'Until Friday' }
    const made = (await admin.call('top-up-create', { body })).body
    assert.deepEqual(
      [made.limitId, made.meter, made.amount, made.at, made.note],
      [id, 'cost', 2.5, admin.clock.now(), 'Until Friday'],
    )
    assert.equal((await admin.deps.store.topUps.get(made.organizationId, made.id))?.amount, 2_500_000)
  }),
)

test(
  'a limit of a plan is raised for one application and product',
  withAdmin(async (admin) => {
    const limits = [{ name: 'budget', meter: 'cost', amount: 5, window: month }]
    const plan = (await admin.call('plan-create', { body: { slug: 'team', limits } })).body
    const body = { plan: 'team', limit: 'budget', subject: 'app_1|prd_1', amount: 1, at: 1_800_000_000_000 }
    const made = (await admin.call('top-up-create', { body })).body
    assert.deepEqual([made.limitId, made.at], [`${plan.id}/budget`, 1_800_000_000_000])
  }),
)
