import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'
import { issueSetupLink } from '../../setup-link.ts'

test(
  'the first token has all rights, and only its hash is stored',
  withAdmin(async (admin) => {
    const { path } = await issueSetupLink(admin.deps)
    const body = { token: path.split('#')[1] }
    const made = (await admin.call('setup-exchange', { token: null, body })).body
    assert.deepEqual([made.adminToken.scopes, made.adminToken.managedBy], [['admin'], 'setup'])
    assert.equal((await admin.call('organization-list', { token: made.secret })).status, 200)
    const stored = await admin.deps.store.adminTokens.findByTokenId(made.adminToken.tokenId)
    assert.ok(!JSON.stringify(stored).includes(made.secret))
  }),
)
