import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new guard shows every field, with what was left out',
  withAdmin(async (admin) => {
    const body = {
      name: 'no-keys',
      detector: 'secrets',
      action: 'mask',
      rules: ['aws-*'],
      match: { models: ['gpt-*'] },
    }
    const made = (await admin.call('guard-create', { body })).body
    assert.deepEqual(
      [
        made.threshold,
        made.mode,
        made.streaming,
        made.onFailure,
        made.rules,
        made.match.models,
        made.match.keys,
      ],
      [0.5, 'enforce', 'cut', 'closed', ['aws-*'], ['gpt-*'], null],
    )
    assert.equal(made.places.length, 6)
    const stored = await admin.deps.store.guards.find(made.organizationId, 'no-keys')
    assert.deepEqual([stored?.threshold, stored?.rules], [0.5, ['aws-*']])
  }),
)
