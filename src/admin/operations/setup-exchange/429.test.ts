import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'
import { issueSetupLink } from '../../setup-link.ts'

const guess = () => ({ token: null, body: { token: `gws_${randomBytes(32).toString('base64url')}` } })

test(
  'after ten wrong links of one client the next is refused, and the right link works from elsewhere',
  withAdmin(async (admin) => {
    const { path } = await issueSetupLink(admin.deps)
    for (let tries = 0; tries < 10; tries += 1) {
      await admin.refuses('setup-exchange', guess(), { status: 410, code: 'admin.setup-closed' })
    }
    const refusal = { status: 429, code: 'admin.too-many-sign-ins' }
    const answer = await admin.refuses('setup-exchange', guess(), refusal)
    assert.equal(answer.headers['retry-after'], '60')
    const right = { token: null, body: { token: path.split('#')[1] } }
    await admin.refuses('setup-exchange', right, refusal)
    assert.equal((await admin.call('setup-exchange', { ...right, address: '192.0.2.7' })).status, 201)
  }),
)
