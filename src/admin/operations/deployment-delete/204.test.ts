import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'its sealed credential goes with it',
  withAdmin(async (admin) => {
    await admin.call('route-delete', { params: { id: 'gpt' } })
    await admin.call('deployment-delete', { params: { id: 'main' } })
    const organization = (await admin.call('organization-get')).body.id
    assert.deepEqual((await admin.deps.store.credentials.list(organization)).items, [])
  }),
)
