import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleTargetHealth } from '../../harness/start-admin.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'the state of each target is told to whoever may read',
  withAdmin(async (admin) => {
    const { body } = await admin.call('route-health', { params: { id: 'gpt' } })
    assert.deepEqual(body, { targets: [sampleTargetHealth] })
  }),
)
