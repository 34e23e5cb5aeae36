import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a subscription is active at once unless it is asked to wait',
  withAdmin(async (admin) => {
    assert.equal(
      (await admin.call('subscription-create', { body: { application: 'shop', product: 'chat' } })).body
        .state,
      'active',
    )
    const body = { slug: 'two', operations: [], models: [] }
    await admin.call('product-create', { body })
    const waiting = { application: 'shop', product: 'two', state: 'pending' }
    assert.equal((await admin.call('subscription-create', { body: waiting })).body.state, 'pending')
  }),
)
