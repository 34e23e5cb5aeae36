import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a token works with its scopes, and its use is noted',
  withAdmin(async (admin) => {
    const body = { name: 'look', scopes: ['read'], organization: 'acme' }
    const made = (await admin.call('admin-token-create', { body })).body
    assert.equal((await admin.call('application-list', { token: made.secret })).status, 200)
    const { items } = (await admin.call('admin-token-list')).body
    const seen = items.find((token) => token.id === made.adminToken.id)
    assert.equal(seen?.lastUsedAt, admin.clock.now())
  }),
)

test(
  'a bound caller makes tokens of its own organization only',
  withAdmin(async (admin) => {
    const token = await admin.token(['admin'], 'globex')
    const own = (await admin.call('admin-token-create', { token, body: { name: 'a', scopes: ['admin'] } }))
      .body
    const globex = (await admin.call('organization-get', { params: { organization: 'globex' } })).body
    assert.equal(own.adminToken.organizationId, globex.id)
    const body = { name: 'a', scopes: ['read'], organization: 'acme' }
    await admin.refuses('admin-token-create', { token, body }, { status: 404, code: 'admin.not-found' })
  }),
)
