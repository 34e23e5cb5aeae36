import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a revoked token opens nothing from the next request on',
  withAdmin(async (admin) => {
    const made = (await admin.call('admin-token-create', { body: { name: 'x', scopes: ['read'] } })).body
    const params = { id: made.adminToken.id }
    const first = (await admin.call('admin-token-revoke', { params })).body
    assert.equal(first.revokedAt, admin.clock.now())
    const refusal = { status: 401, code: 'admin.unauthenticated' }
    await admin.refuses('organization-list', { token: made.secret }, refusal)
    assert.deepEqual((await admin.call('admin-token-revoke', { params })).body, first)
  }),
)
