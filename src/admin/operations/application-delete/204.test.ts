import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an application without keys and subscriptions goes for good',
  withAdmin(async (admin) => {
    const params = { id: 'shop' }
    await admin.call('application-delete', { params })
    await admin.refuses('application-get', { params }, { status: 404, code: 'admin.not-found' })
  }),
)
