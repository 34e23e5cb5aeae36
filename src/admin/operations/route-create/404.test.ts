import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a deployment that is not there is refused by name',
  withAdmin(async (admin) => {
    const body = { name: 'a', targets: [{ deployment: 'main' }, { deployment: 'nowhere' }] }
    const answer = await admin.refuses('route-create', { body }, { status: 404, code: 'admin.not-found' })
    assert.match(answer.body.error.message, /deployment nowhere/)
  }),
)
