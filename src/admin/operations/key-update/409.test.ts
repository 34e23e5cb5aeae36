import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a revoked key never changes again, not even to active',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const params = { id: key.keyId }
    await admin.call('key-revoke', { params })
    await admin.refuses(
      'key-update',
      { params, body: { name: 'x' } },
      { status: 409, code: 'admin.key-ended' },
    )
    const field = { status: 400, code: 'request.invalid-field', param: 'state' }
    await admin.refuses('key-update', { params, body: { state: 'active' } }, field)
  }),
)
