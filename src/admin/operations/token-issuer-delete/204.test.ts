import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const body = { name: 'x', issuer: 'https://a.example', audiences: ['a'], application: { slug: 'shop' } }

test(
  'a token issuer goes with its revocations, and its name is free again',
  withAdmin(async (admin) => {
    const params = { id: 'x' }
    const made = (await admin.call('token-issuer-create', { body })).body
    await admin.call('token-revocation-create', { params, body: { kind: 'issuer' } })
    await admin.call('token-issuer-delete', { params })
    const left = await admin.deps.store.tokenRevocations.list(made.organizationId)
    assert.deepEqual(left.items, [])
    await admin.call('token-issuer-create', { body })
  }),
)
