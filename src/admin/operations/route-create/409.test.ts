import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'names and aliases share one name space',
  withAdmin(async (admin) => {
    const targets = [{ deployment: 'main' }]
    for (const body of [
      { name: 'gpt', targets },
      { name: 'gpt-latest', targets },
      { name: 'new', aliases: ['gpt'], targets },
    ]) {
      await admin.refuses('route-create', { body }, { status: 409, code: 'admin.conflict' })
    }
  }),
)
