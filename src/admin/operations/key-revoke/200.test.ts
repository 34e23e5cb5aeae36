import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'revoking is final, and doing it again changes nothing',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const first = (await admin.call('key-revoke', { params: { id: key.keyId } })).body
    assert.deepEqual([first.state, first.revokedAt], ['revoked', admin.clock.now()])
    admin.clock.advance(1000)
    assert.deepEqual((await admin.call('key-revoke', { params: { id: key.id } })).body, first)
  }),
)
