import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a slug that is taken is refused',
  withAdmin(async (admin) => {
    const body = { slug: 'chat', operations: [], models: [] }
    await admin.refuses('product-create', { body }, { status: 409, code: 'admin.conflict' })
  }),
)
