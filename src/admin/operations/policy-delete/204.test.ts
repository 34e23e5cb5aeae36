import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a removed policy is gone',
  withAdmin(async (admin) => {
    const params = { id: 'all' }
    const body = { slug: 'all', cedar: 'permit (principal, action, resource);' }
    await admin.call('policy-create', { body })
    await admin.call('policy-delete', { params })
    await admin.refuses('policy-get', { params }, { status: 404, code: 'admin.not-found' })
  }),
)
