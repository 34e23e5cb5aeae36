import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a token of another organization reads none',
  withAdmin(async (admin) => {
    const token = await admin.token(['read'], 'globex')
    const expected = { status: 404, code: 'admin.not-found' }
    await admin.refuses('limit-alert-list', { token }, expected)
  }),
)
