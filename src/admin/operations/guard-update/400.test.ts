import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change that cannot be compiled changes nothing',
  withAdmin(async (admin) => {
    await admin.call('guard-create', { body: { name: 'a', detector: 'secrets', action: 'flag' } })
    const request = { params: { id: 'a' }, body: { rules: ['no-such-rule'] } }
    await admin.refuses('guard-update', request, {
      status: 400,
      code: 'request.invalid-field',
      param: 'rules',
    })
  }),
)
