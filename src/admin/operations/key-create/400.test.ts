import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a network that is none is refused by its place in the list',
  withAdmin(async (admin) => {
    const body = { application: 'shop', name: 'k', cidrs: ['10.0.0.0/8', '10.0.0.0/99'] }
    await admin.refuses(
      'key-create',
      { body },
      { status: 400, code: 'request.invalid-field', param: 'cidrs[1]' },
    )
  }),
)
