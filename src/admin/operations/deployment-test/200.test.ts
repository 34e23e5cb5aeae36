import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'the outcome of the trial call is told',
  withAdmin(async (admin) => {
    const { body } = await admin.call('deployment-test', { params: { id: 'main' } })
    assert.deepEqual(body, { ok: true, status: 200, durationMs: 12, detail: 'It answered.' })
  }),
)
