import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a deployment that a route names stays, with its credential',
  withAdmin(async (admin) => {
    await admin.refuses(
      'deployment-delete',
      { params: { id: 'main' } },
      { status: 409, code: 'admin.in-use' },
    )
    const organization = (await admin.call('organization-get')).body.id
    assert.equal((await admin.deps.store.credentials.list(organization)).items.length, 1)
  }),
)
