import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a key is found by id and by key id',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    for (const id of [key.id, key.keyId])
      assert.deepEqual((await admin.call('key-get', { params: { id } })).body, key)
  }),
)
