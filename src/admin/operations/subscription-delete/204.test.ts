import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a subscription goes, its application and product stay',
  withAdmin(async (admin) => {
    const { id } = (
      await admin.call('subscription-create', { body: { application: 'shop', product: 'chat' } })
    ).body
    await admin.call('subscription-delete', { params: { id } })
    assert.deepEqual((await admin.call('subscription-list')).body.items, [])
    assert.equal((await admin.call('product-get', { params: { id: 'chat' } })).status, 200)
  }),
)
