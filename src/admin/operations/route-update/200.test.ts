import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'timeouts are kept as given, replaced as a whole, and bounded',
  withAdmin(async (admin) => {
    const targets = [{ deployment: 'main' }]
    const timeouts = { firstByteMs: 30_000, totalMs: 120_000 }
    const made = await admin.call('route-create', { body: { name: 'slow', targets, timeouts } })
    assert.deepEqual(made.body.timeouts, timeouts)
    const params = { id: 'slow' }
    const { body } = await admin.call('route-update', { params, body: { timeouts: { idleMs: 10 } } })
    assert.deepEqual([body.timeouts, body.targets.length], [{ idleMs: 10 }, 1])
    for (const wrong of [{ idleMs: 9 }, { firstByteMs: 86_400_001 }, { idle: 10 }]) {
      await admin.refuses(
        'route-update',
        { params, body: { timeouts: wrong } as object },
        { status: 400, code: 'request.invalid-field' },
      )
    }
    assert.deepEqual((await admin.call('route-get', { params })).body.timeouts, { idleMs: 10 })
    assert.deepEqual((await admin.call('route-get', { params: { id: 'gpt' } })).body.timeouts, {})
  }),
)

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
