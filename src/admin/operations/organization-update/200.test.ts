import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new name is kept, and the slug stays',
  withAdmin(async (admin) => {
    const { body } = await admin.call('organization-update', { body: { name: 'Acme Corp' } })
    assert.equal(body.name, 'Acme Corp')
    assert.deepEqual((await admin.call('organization-get')).body, body)
  }),
)
