import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'subscriptions are found by application, product and state',
  withAdmin(async (admin) => {
    const made = (await admin.call('subscription-create', { body: { application: 'shop', product: 'chat' } }))
      .body
    const count = async (query: Record<string, string>) =>
      (await admin.call('subscription-list', { query })).body.items.length
    assert.equal(
      await count({ applicationId: made.applicationId, productId: made.productId, state: 'active' }),
      1,
    )
    assert.equal(await count({ state: 'paused' }), 0)
    assert.equal(await count({ applicationId: `app_${'0'.repeat(22)}` }), 0)
  }),
)
