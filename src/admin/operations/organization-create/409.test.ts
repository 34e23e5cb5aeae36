import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a slug that is taken is refused',
  withAdmin(async (admin) => {
    await admin.refuses(
      'organization-create',
      { body: { slug: 'acme' } },
      { status: 409, code: 'admin.conflict' },
    )
  }),
)
