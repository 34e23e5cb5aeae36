import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const day = 86_400_000

test(
  'a change that breaks the policy is refused; a rotation gives the key a new span under the same id',
  withAdmin(async (admin) => {
    await admin.call('organization-update', { body: { keyPolicy: { maxLifetimeDays: 30 } } })
    const end = admin.clock.now() + 30 * day
    const body = { application: 'shop', name: 'web', expiresAt: end }
    const { key } = (await admin.call('key-create', { body })).body
    const params = { id: key.keyId }
    const refused = { status: 422, code: 'admin.key-policy', param: 'expiresAt' }
    await admin.refuses('key-update', { params, body: { expiresAt: null } }, refused)
    admin.clock.advance(20 * day)
    const later = { params, body: { expiresAt: end + 20 * day } }
    await admin.refuses('key-update', later, refused)
    await admin.call('key-rotate', { params, body: {} })
    assert.equal((await admin.call('key-update', later)).body.expiresAt, end + 20 * day)
  }),
)
