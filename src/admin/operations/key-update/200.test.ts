import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a key is narrowed and widened, and keeps its secret',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const params = { id: key.keyId }
    const narrow = { models: ['gpt'], cidrs: ['192.0.2.0/24'], expiresAt: 1_900_000_000_000 }
    const narrowed = (await admin.call('key-update', { params, body: narrow })).body
    assert.deepEqual([narrowed.models, narrowed.cidrs, narrowed.expiresAt], Object.values(narrow))
    const widened = (await admin.call('key-update', { params, body: { models: null, expiresAt: null } })).body
    assert.deepEqual([widened.models, widened.expiresAt, widened.cidrs], [null, null, narrow.cidrs])
  }),
)
