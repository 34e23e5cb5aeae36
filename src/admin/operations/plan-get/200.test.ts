import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a plan is found by its slug and by its id',
  withAdmin(async (admin) => {
    const made = (await admin.call('plan-create', { body: { slug: 'team', description: 'For teams' } })).body
    for (const id of ['team', made.id]) {
      assert.deepEqual((await admin.call('plan-get', { params: { id } })).body, made)
    }
  }),
)
