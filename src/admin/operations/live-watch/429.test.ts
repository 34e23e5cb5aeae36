import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLiveHub } from '../../../events/index.ts'
import { startAdmin } from '../../harness/start-admin.ts'
import { issueAdminToken } from '../../issue-admin-token.ts'

test('as many watch as may: the next is told to come later', async (t) => {
  const live = createLiveHub({ monotonic: () => performance.now(), maxSubscribers: 0 })
  const admin = await startAdmin({ live })
  t.after(() => admin.stop())
  const order = { name: 'test', scopes: ['read'], organizationId: null, expiresAt: null } as const
  const { secret } = await issueAdminToken(admin.deps, { ...order, managedBy: 'setup' })
  const { statusCode, body } = await admin.app.inject({
    url: '/api/v1/live',
    headers: { authorization: `Bearer ${secret}` },
  })
  assert.equal(statusCode, 429)
  assert.ok(body.includes('admin.too-many-watchers'), body)
})
