import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an empty organization goes for good',
  withAdmin(async (admin) => {
    const params = { organization: 'globex' }
    await admin.call('organization-delete', { params })
    await admin.refuses('organization-get', { params }, { status: 404, code: 'admin.not-found' })
  }),
)
