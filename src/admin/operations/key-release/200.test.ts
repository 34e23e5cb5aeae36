import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an administrator releases a key; who may make keys may not',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const params = { id: key.keyId }
    await admin.call('key-quarantine', { params })
    const token = await admin.token(['read', 'write', 'keys'])
    await admin.refuses('key-release', { params, token }, { status: 403, code: 'access.scope-denied' })
    const released = (await admin.call('key-release', { params })).body
    assert.deepEqual([released.state, released.quarantine], ['active', null])
    const actions = admin.recorded.map(({ event }) => event.action)
    assert.ok(actions.includes('key.quarantine') && actions.includes('key.release'))
  }),
)
