import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const body = { name: 'x', issuer: 'https://a.example', audiences: ['a'], application: { slug: 'shop' } }

test(
  'a token issuer is found by name and by id',
  withAdmin(async (admin) => {
    const made = (await admin.call('token-issuer-create', { body })).body
    for (const id of ['x', made.id])
      assert.deepEqual((await admin.call('token-issuer-get', { params: { id } })).body, made)
  }),
)
