import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a product shows what it opens',
  withAdmin(async (admin) => {
    const { body } = await admin.call('product-get', { params: { id: 'chat' } })
    assert.deepEqual([body.state, body.operations, body.models], ['published', ['*'], ['*']])
  }),
)
