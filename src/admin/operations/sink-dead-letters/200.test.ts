import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleLetter } from '../../harness/start-admin.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a dead letter shows the event, when and why it was rejected',
  withAdmin(async (admin) => {
    const { body } = await admin.call('sink-dead-letters', { params: { name: 'siem' }, query: { limit: 5 } })
    assert.deepEqual(body, { letters: [sampleLetter] })
  }),
)
