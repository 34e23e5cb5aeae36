import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an application with a key stays',
  withAdmin(async (admin) => {
    await admin.call('key-create', { body: { application: 'shop', name: 'k' } })
    await admin.refuses(
      'application-delete',
      { params: { id: 'shop' } },
      { status: 409, code: 'admin.in-use' },
    )
  }),
)
