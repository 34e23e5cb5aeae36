import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a guard goes',
  withAdmin(async (admin) => {
    await admin.call('guard-create', { body: { name: 'a', detector: 'secrets', action: 'flag' } })
    await admin.call('guard-delete', { params: { id: 'a' } })
    assert.deepEqual((await admin.call('guard-list')).body.items, [])
  }),
)
