import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a policy from a document is removed in the document only',
  withAdmin(async (admin) => {
    const policy = "{ slug: all, cedar: 'permit (principal, action, resource);' }"
    const document = `organizations: [{ slug: byfile }]\npolicies: [${policy}]`
    await admin.call('config-apply', { body: { document } })
    const request = { params: { organization: 'byfile', id: 'all' } }
    await admin.refuses('policy-delete', request, { status: 409, code: 'admin.read-only' })
    const change = { ...request, body: { enabled: false } }
    await admin.refuses('policy-update', change, { status: 409, code: 'admin.read-only' })
  }),
)
