import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a key that the environment manages is not revoked here',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const { clock, store } = admin.deps
    await store.keys.update(key.organizationId, key.id, {
      patch: { managedBy: 'environment' },
      now: clock.now(),
    })
    await admin.refuses('key-revoke', { params: { id: key.id } }, { status: 409, code: 'admin.read-only' })
  }),
)
