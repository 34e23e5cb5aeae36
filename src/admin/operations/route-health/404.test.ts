import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a route that is not there has no health',
  withAdmin(async (admin) => {
    await admin.refuses('route-health', { params: { id: 'gone' } }, { status: 404, code: 'admin.not-found' })
  }),
)
