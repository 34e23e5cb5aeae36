import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const body = { name: 'x', issuer: 'https://a.example', audiences: ['a'], application: { slug: 'shop' } }

test(
  'token issuers come oldest first, those of other organizations not at all',
  withAdmin(async (admin) => {
    await admin.call('token-issuer-create', { body })
    const other = { ...body, name: 'y', audiences: ['b'] }
    await admin.call('token-issuer-create', { params: { organization: 'globex' }, body: other })
    const { items } = (await admin.call('token-issuer-list')).body
    assert.deepEqual(
      items.map(({ name }) => name),
      ['x'],
    )
  }),
)
