import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a cursor that was never handed out is refused',
  withAdmin(async (admin) => {
    const expected = { status: 400, code: 'admin.validation', param: 'after' }
    await admin.refuses('limit-alert-list', { query: { after: 'made-up' } }, expected)
  }),
)
