import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a guard from a document is removed in the document only',
  withAdmin(async (admin) => {
    const document =
      'organizations: [{ slug: byfile }]\nguards: [{ name: g, detector: secrets, action: flag }]'
    await admin.call('config-apply', { body: { document } })
    const request = { params: { organization: 'byfile', id: 'g' } }
    await admin.refuses('guard-delete', request, { status: 409, code: 'admin.read-only' })
  }),
)
