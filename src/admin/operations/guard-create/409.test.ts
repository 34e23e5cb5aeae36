import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a name that is taken is refused',
  withAdmin(async (admin) => {
    const body = { name: 'a', detector: 'secrets', action: 'flag' }
    await admin.call('guard-create', { body })
    await admin.refuses('guard-create', { body }, { status: 409, code: 'admin.conflict' })
  }),
)
