import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a limit from a document is removed in the document only',
  withAdmin(async (admin) => {
    const document =
      'organizations: [{ slug: byfile }]\nlimits: [{ name: rate, meter: requests, amount: 1, window: day }]'
    await admin.call('config-apply', { body: { document } })
    const request = { params: { organization: 'byfile', id: 'rate' } }
    await admin.refuses('limit-delete', request, { status: 409, code: 'admin.read-only' })
  }),
)
