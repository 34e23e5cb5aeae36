import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a bound token sees the tokens of its organization, and no token text or hash',
  withAdmin(async (admin) => {
    const bound = await admin.token(['admin'], 'globex')
    const mine = await admin.call('admin-token-list', { token: bound })
    assert.equal(mine.body.items.length, 1)
    const all = await admin.call('admin-token-list')
    assert.equal(all.body.items.length, 2)
    assert.ok(!/hash|gwa_/.test(all.text))
  }),
)
