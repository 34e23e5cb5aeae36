import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new plan is complete: what is left out takes its default',
  withAdmin(async (admin) => {
    const limits = [
      { name: 'rate', meter: 'requests', amount: 100, window: 'minute' },
      { name: 'budget', meter: 'cost', amount: 12.5, window: { calendar: 'month' }, alertsAt: [0.8] },
    ]
    const body = { slug: 'team', limits, queue: { maxWaitMs: 500 } }
    const made = (await admin.call('plan-create', { body })).body
    assert.deepEqual(
      [made.name, made.priority, made.weight, made.queue],
      ['team', 'normal', 1, { maxWaitMs: 500, maxLength: 100 }],
    )
    assert.deepEqual(
      made.limits.map(({ name, amount, window, onStoreLoss }) => [name, amount, window, onStoreLoss]),
      [
        ['rate', 100, 'minute', 'local-share'],
        ['budget', 12.5, { calendar: 'month', timeZone: 'UTC' }, 'closed'],
      ],
    )
    assert.deepEqual((await admin.call('plan-get', { params: { id: 'team' } })).body, made)
  }),
)
