import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a key that is not held is not released, a revoked one least of all',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const params = { id: key.keyId }
    await admin.refuses('key-release', { params }, { status: 409, code: 'admin.key-not-quarantined' })
    await admin.call('key-quarantine', { params })
    await admin.call('key-revoke', { params })
    await admin.refuses('key-release', { params }, { status: 409, code: 'admin.key-ended' })
  }),
)
