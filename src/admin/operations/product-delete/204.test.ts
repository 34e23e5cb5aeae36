import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a product without subscriptions goes for good',
  withAdmin(async (admin) => {
    await admin.call('product-delete', { params: { id: 'chat' } })
    assert.deepEqual((await admin.call('product-list')).body.items, [])
  }),
)
