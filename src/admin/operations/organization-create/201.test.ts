import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new organization is empty and named as asked',
  withAdmin(async (admin) => {
    const { body } = await admin.call('organization-create', {
      body: { slug: 'initech', name: 'Initech Ltd' },
    })
    assert.equal(body.name, 'Initech Ltd')
    assert.equal(body.managedBy, 'api')
    const params = { organization: 'initech' }
    assert.deepEqual((await admin.call('key-list', { params })).body, { items: [], next: null })
  }),
)
