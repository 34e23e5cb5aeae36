import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'deployments are found by provider, never with a secret',
  withAdmin(async (admin) => {
    const all = await admin.call('deployment-list', { query: { providerId: 'openai' } })
    assert.equal(all.body.items.length, 1)
    assert.ok(!all.text.includes('sk-very-secret'))
    assert.deepEqual(
      (await admin.call('deployment-list', { query: { providerId: 'gemini' } })).body.items,
      [],
    )
  }),
)
