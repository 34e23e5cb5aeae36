import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an empty range and an unknown dimension are refused by name',
  withAdmin(async (admin) => {
    const refusal = (param: string) => ({ status: 400, code: 'request.invalid-field', param })
    await admin.refuses('usage-summary', { query: { from: 10, to: 10 } }, refusal('from'))
    await admin.refuses('usage-summary', { query: { groupBy: 'model,colour' } }, refusal('groupBy'))
  }),
)
