import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a revoked key gets no new secret',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const params = { id: key.id }
    await admin.call('key-revoke', { params })
    await admin.refuses('key-rotate', { params, body: {} }, { status: 409, code: 'admin.key-ended' })
  }),
)
