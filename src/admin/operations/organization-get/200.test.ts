import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an organization is found by slug and by id',
  withAdmin(async (admin) => {
    const bySlug = (await admin.call('organization-get')).body
    const byId = (await admin.call('organization-get', { params: { organization: bySlug.id } })).body
    assert.deepEqual(byId, bySlug)
    assert.equal(bySlug.name, 'Acme')
  }),
)
