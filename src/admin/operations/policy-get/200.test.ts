import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a policy is read by slug and by id',
  withAdmin(async (admin) => {
    const body = { slug: 'all', cedar: 'permit (principal, action, resource);' }
    const made = (await admin.call('policy-create', { body })).body
    for (const id of ['all', made.id])
      assert.deepEqual((await admin.call('policy-get', { params: { id } })).body, made)
  }),
)
