import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a top-up is taken back',
  withAdmin(async (admin) => {
    const body = { name: 'daily', meter: 'requests', amount: 5, window: { calendar: 'day' } }
    await admin.call('limit-create', { body })
    const { id } = (await admin.call('top-up-create', { body: { limit: 'daily', amount: 1 } })).body
    await admin.call('top-up-delete', { params: { id } })
    assert.deepEqual((await admin.call('top-up-list')).body.items, [])
  }),
)
