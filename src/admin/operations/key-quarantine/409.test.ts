import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a revoked key is not held',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const params = { id: key.keyId }
    await admin.call('key-revoke', { params })
    await admin.refuses('key-quarantine', { params }, { status: 409, code: 'admin.key-ended' })
  }),
)
