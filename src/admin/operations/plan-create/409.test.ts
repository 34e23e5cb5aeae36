import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a slug that is taken is refused',
  withAdmin(async (admin) => {
    await admin.call('plan-create', { body: { slug: 'team' } })
    await admin.refuses('plan-create', { body: { slug: 'team' } }, { status: 409, code: 'admin.conflict' })
  }),
)
