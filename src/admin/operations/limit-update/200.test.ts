import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a limit changes in place; its identity, and so its counters, stay',
  withAdmin(async (admin) => {
    const body = {
      name: 'budget',
      meter: 'cost',
      amount: 5,
      window: { rolling: '1h', burst: 2 },
      per: ['team'],
    }
    const made = (await admin.call('limit-create', { body })).body
    const params = { id: 'budget' }
    const more = (await admin.call('limit-update', { params, body: { amount: 7.5 } })).body
    assert.deepEqual([more.id, more.amount, more.window, more.per], [made.id, 7.5, made.window, ['team']])
    const narrowed = { params, body: { mode: 'warn', match: { teams: ['research'] } } }
    const after = (await admin.call('limit-update', narrowed)).body
    assert.deepEqual([after.mode, after.amount, after.match.teams], ['warn', 7.5, ['research']])
    assert.equal((await admin.call('limit-update', { params, body: { match: {} } })).body.match.teams, null)
  }),
)
