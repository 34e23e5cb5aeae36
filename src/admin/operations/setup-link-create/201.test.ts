import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'the link opens once, for fifteen minutes, and replaces the one before',
  withAdmin(async (admin) => {
    const link = async () => (await admin.call('setup-link-create')).body
    const exchange = (path: string) =>
      admin.call('setup-exchange', { token: null, body: { token: path.split('#')[1] } })
    const first = await link()
    const second = await link()
    assert.equal(second.expiresAt, admin.clock.now() + 15 * 60_000)
    assert.equal((await exchange(first.path)).status, 410)
    assert.equal((await exchange(second.path)).status, 201)
  }),
)
