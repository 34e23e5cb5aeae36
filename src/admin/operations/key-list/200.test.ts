import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'keys are found by application and state, never with a secret or its hash',
  withAdmin(async (admin) => {
    const made = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const query = { applicationId: made.key.applicationId, state: 'active' }
    const answer = await admin.call('key-list', { query })
    assert.deepEqual(answer.body.items, [made.key])
    assert.ok(!/hash|gwr_/.test(answer.text))
    assert.deepEqual((await admin.call('key-list', { query: { state: 'revoked' } })).body.items, [])
  }),
)
