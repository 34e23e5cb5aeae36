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
