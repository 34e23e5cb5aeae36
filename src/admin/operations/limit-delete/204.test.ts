import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a limit goes, and its top-ups with it',
  withAdmin(async (admin) => {
    const body = { name: 'budget', meter: 'cost', amount: 5, window: { calendar: 'month' } }
    await admin.call('limit-create', { body })
    await admin.call('top-up-create', { body: { limit: 'budget', amount: 1 } })
    await admin.call('limit-delete', { params: { id: 'budget' } })
    assert.deepEqual((await admin.call('limit-list')).body.items, [])
    assert.deepEqual((await admin.call('top-up-list')).body.items, [])
  }),
)
