import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a subscription is paused and resumed',
  withAdmin(async (admin) => {
    const { id } = (
      await admin.call('subscription-create', { body: { application: 'shop', product: 'chat' } })
    ).body
    for (const state of ['paused', 'active']) {
      const { body } = await admin.call('subscription-update', { params: { id }, body: { state } })
      assert.equal(body.state, state)
    }
  }),
)

test(
  'a subscription changes its plan, and leaves it',
  withAdmin(async (admin) => {
    const plan = (await admin.call('plan-create', { body: { slug: 'team' } })).body
    const body = { application: 'shop', product: 'chat' }
    const made = (await admin.call('subscription-create', { body })).body
    assert.equal(made.planId, null)
    const change = async (given: string | null) =>
      (await admin.call('subscription-update', { params: { id: made.id }, body: { plan: given } })).body
    assert.deepEqual(await change('team').then(({ planId, state }) => [planId, state]), [plan.id, 'active'])
    assert.equal((await change(null)).planId, null)
  }),
)
