import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'limits are replaced as a whole; of the queue, what is named',
  withAdmin(async (admin) => {
    const rate = { name: 'rate', meter: 'requests', amount: 100, window: 'minute' }
    await admin.call('plan-create', { body: { slug: 'team', limits: [rate] } })
    const body = { priority: 'high', queue: { maxLength: 5 }, limits: [{ ...rate, amount: 200 }] }
    const changed = (await admin.call('plan-update', { params: { id: 'team' }, body })).body
    assert.deepEqual(
      [changed.priority, changed.queue, changed.limits.map(({ amount }) => amount)],
      ['high', { maxWaitMs: 10_000, maxLength: 5 }, [200]],
    )
    const renamed = { params: { id: 'team' }, body: { name: 'Team' } }
    const { name, limits } = (await admin.call('plan-update', renamed)).body
    assert.deepEqual([name, limits.length], ['Team', 1])
  }),
)
