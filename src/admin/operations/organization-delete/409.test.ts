import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an organization that holds anything stays',
  withAdmin(async (admin) => {
    await admin.refuses('organization-delete', {}, { status: 409, code: 'admin.in-use' })
    assert.equal((await admin.call('organization-get')).status, 200)
  }),
)
