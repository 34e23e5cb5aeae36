import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a plan that no subscription has goes for good',
  withAdmin(async (admin) => {
    await admin.call('plan-create', { body: { slug: 'team' } })
    await admin.call('plan-delete', { params: { id: 'team' } })
    assert.deepEqual((await admin.call('plan-list')).body.items, [])
  }),
)
