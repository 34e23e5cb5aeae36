import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a cursor that was never handed out is refused',
  withAdmin(async (admin) => {
    const answer = await admin.call('application-list', { query: { after: 'made-up' } })
    assert.equal(answer.status, 400)
  }),
)
