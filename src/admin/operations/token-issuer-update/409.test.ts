import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const body = { name: 'x', issuer: 'https://a.example', audiences: ['a'], application: { slug: 'shop' } }

test(
  'a token issuer that a file manages is read-only here',
  withAdmin(async (admin) => {
    const made = (await admin.call('token-issuer-create', { body })).body
    const change = { patch: { managedBy: 'file' as const }, now: admin.clock.now() }
    await admin.deps.store.tokenIssuers.update(made.organizationId, made.id, change)
    const call = { params: { id: 'x' }, body: { enabled: false } }
    await admin.refuses('token-issuer-update', call, { status: 409, code: 'admin.read-only' })
  }),
)
