import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'differences are named, and nothing is changed',
  withAdmin(async (admin) => {
    const document = 'organizations: [{ slug: initech }]\napplications: [{ slug: bot }]'
    const { changes } = (await admin.call('config-diff', { body: { document } })).body
    assert.deepEqual(
      changes.map((change) => `${change.action} ${change.noun} ${change.name}`),
      ['create organization initech', 'create application bot'],
    )
    const params = { organization: 'initech' }
    await admin.refuses('organization-get', { params }, { status: 404, code: 'admin.not-found' })
  }),
)
