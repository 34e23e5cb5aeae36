import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'top-ups are listed, of one limit if asked',
  withAdmin(async (admin) => {
    const ids: string[] = []
    for (const name of ['one', 'two']) {
      const body = { name, meter: 'requests', amount: 5, window: { calendar: 'week' } }
      ids.push((await admin.call('limit-create', { body })).body.id)
      await admin.call('top-up-create', { body: { limit: name, amount: 1 } })
    }
    assert.equal((await admin.call('top-up-list')).body.items.length, 2)
    const { items } = (await admin.call('top-up-list', { query: { limitId: ids[1] ?? '' } })).body
    assert.deepEqual(
      items.map(({ limitId }) => limitId),
      [ids[1]],
    )
  }),
)
