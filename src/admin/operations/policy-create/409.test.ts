import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a slug names one policy',
  withAdmin(async (admin) => {
    const body = { slug: 'all', cedar: 'permit (principal, action, resource);' }
    await admin.call('policy-create', { body })
    await admin.refuses('policy-create', { body }, { status: 409, code: 'admin.conflict' })
  }),
)
