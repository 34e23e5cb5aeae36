import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new limit shows every field, with money in US dollars',
  withAdmin(async (admin) => {
    const body = {
      name: 'research-budget',
      meter: 'cost',
      amount: 0.25,
      window: { rolling: '90s', burst: 0.1 },
      per: ['user', 'model'],
      match: { teams: ['research'], models: ['gpt-*'] },
    }
    const made = (await admin.call('limit-create', { body })).body
    assert.deepEqual(
      [made.amount, made.window, made.mode, made.whenExceeded, made.onStoreLoss, made.alertsAt],
      [0.25, body.window, 'enforce', 'refuse', 'closed', []],
    )
    assert.deepEqual([made.match.teams, made.match.models, made.match.keys], [['research'], ['gpt-*'], null])
    const stored = await admin.deps.store.limits.find(made.organizationId, made.name)
    assert.deepEqual(
      [stored?.amount, stored?.window],
      [250_000, { kind: 'rolling', ms: 90_000, burst: 100_000 }],
    )
  }),
)
