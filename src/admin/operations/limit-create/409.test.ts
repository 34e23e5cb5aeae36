import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a name that is taken is refused',
  withAdmin(async (admin) => {
    const body = { name: 'rate', meter: 'requests', amount: 1, window: 'minute' }
    await admin.call('limit-create', { body })
    await admin.refuses('limit-create', { body }, { status: 409, code: 'admin.conflict' })
  }),
)
