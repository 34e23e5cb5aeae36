import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const body = { name: 'x', issuer: 'https://a.example', audiences: ['a'], application: { slug: 'shop' } }

test(
  'revocations of one issuer come oldest first',
  withAdmin(async (admin) => {
    await admin.call('token-issuer-create', { body })
    const params = { id: 'x' }
    for (const value of ['one', 'two']) {
      await admin.call('token-revocation-create', { params, body: { kind: 'token', value } })
      admin.clock.advance(1)
    }
    const { items } = (await admin.call('token-revocation-list', { params })).body
    assert.deepEqual(
      items.map(({ value }) => value),
      ['one', 'two'],
    )
  }),
)
