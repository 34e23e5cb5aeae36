import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a second document removes what the first had made, and touches nothing else',
  withAdmin(async (admin) => {
    const both = 'organizations: [{ slug: initech }]\napplications: [{ slug: one }, { slug: two }]'
    const one = 'organizations: [{ slug: initech }]\napplications: [{ slug: one }]'
    await admin.call('config-apply', { body: { document: both } })
    assert.deepEqual((await admin.call('config-apply', { body: { document: both } })).body, { changes: [] })
    const { changes } = (await admin.call('config-apply', { body: { document: one } })).body
    assert.deepEqual(changes, [
      { action: 'remove', noun: 'application', name: 'two', organization: 'initech', fields: [] },
    ])
    assert.equal((await admin.call('application-get', { params: { id: 'shop' } })).status, 200)
  }),
)
