import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a token of one organization sees no sinks: they get events of all',
  withAdmin(async (admin) => {
    const token = await admin.token(['read'], 'acme')
    await admin.refuses('sink-list', { token }, { status: 403, code: 'admin.organization-bound' })
  }),
)
