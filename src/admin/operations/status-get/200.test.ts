import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleStatus } from '../../harness/start-admin.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'what runs is told to whoever may read',
  withAdmin(async (admin) => {
    const { body } = await admin.call('status-get', { token: await admin.token(['read'], 'globex') })
    assert.deepEqual(body, sampleStatus)
  }),
)
