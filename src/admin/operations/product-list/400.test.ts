import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an unknown state is refused by name',
  withAdmin(async (admin) => {
    const refusal = { status: 400, code: 'request.invalid-field', param: 'state' }
    await admin.refuses('product-list', { query: { state: 'gone' } }, refusal)
  }),
)
