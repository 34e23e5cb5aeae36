import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'targets are replaced as a whole, and a freed alias can be taken',
  withAdmin(async (admin) => {
    const params = { id: 'gpt' }
    const targets = [{ deployment: 'main', model: 'gpt-5' }]
    const { body } = await admin.call('route-update', {
      params,
      body: { aliases: [], targets, enabled: false },
    })
    assert.deepEqual([body.aliases, body.enabled, body.targets[0]?.model], [[], false, 'gpt-5'])
    const again = { name: 'gpt-latest', targets: [{ deployment: 'main' }] }
    assert.equal((await admin.call('route-create', { body: again })).status, 201)
  }),
)
