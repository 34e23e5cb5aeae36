import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'limits are listed, page by page',
  withAdmin(async (admin) => {
    for (const name of ['one', 'two']) {
      await admin.call('limit-create', { body: { name, meter: 'requests', amount: 1, window: 'day' } })
      admin.clock.advance(1)
    }
    const first = (await admin.call('limit-list', { query: { limit: 1 } })).body
    const second = (await admin.call('limit-list', { query: { limit: 1, after: first.next ?? '' } })).body
    assert.deepEqual([first.items[0]?.name, second.items[0]?.name, second.next], ['one', 'two', null])
  }),
)
