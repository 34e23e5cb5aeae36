import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a deployment tells how its credential is held, and nothing of it',
  withAdmin(async (admin) => {
    const answer = await admin.call('deployment-get', { params: { id: 'main' } })
    assert.deepEqual(answer.body.credential, { kind: 'sealed', references: null })
    assert.ok(!/sk-|cred_|gwe1/.test(answer.text))
  }),
)
