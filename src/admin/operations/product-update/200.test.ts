import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a product is retired',
  withAdmin(async (admin) => {
    const { body } = await admin.call('product-update', {
      params: { id: 'chat' },
      body: { state: 'retired' },
    })
    assert.equal(body.state, 'retired')
    assert.deepEqual(body.models, ['*'])
  }),
)
