import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'the name and its aliases are free again',
  withAdmin(async (admin) => {
    await admin.call('route-delete', { params: { id: 'gpt' } })
    for (const id of ['gpt', 'gpt-latest']) {
      await admin.refuses('route-get', { params: { id } }, { status: 404, code: 'admin.not-found' })
    }
  }),
)
