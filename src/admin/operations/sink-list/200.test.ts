import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleSink } from '../../harness/start-admin.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'each sink says how events arrive at it',
  withAdmin(async (admin) => {
    const { body } = await admin.call('sink-list', { token: await admin.token(['read']) })
    assert.deepEqual(body, { sinks: [sampleSink] })
  }),
)
