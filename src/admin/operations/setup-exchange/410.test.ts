import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'
import { issueSetupLink, setupLinkLifetimeMs } from '../../setup-link.ts'

test(
  'a link works once: of many callers at the same time exactly one gets a token',
  withAdmin(async (admin) => {
    const { path } = await issueSetupLink(admin.deps)
    const body = { token: path.split('#')[1] }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin.call('setup-exchange', { token: null, body })),
    )
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [201, 410, 410, 410, 410, 410, 410, 410])
  }),
)

test(
  'a link ends after fifteen minutes',
  withAdmin(async (admin) => {
    const { path } = await issueSetupLink(admin.deps)
    admin.clock.advance(setupLinkLifetimeMs)
    const request = { token: null, body: { token: path.split('#')[1] } }
    await admin.refuses('setup-exchange', request, { status: 410, code: 'admin.setup-closed' })
  }),
)
