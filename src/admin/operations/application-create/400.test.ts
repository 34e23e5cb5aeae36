import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a slug that could not stand in an address is refused',
  withAdmin(async (admin) => {
    for (const slug of ['', 'Upper', '../x', 'a b', '-a', 'a'.repeat(64), 7, null]) {
      const refusal = { status: 400, code: 'request.invalid-field', param: 'slug' }
      await admin.refuses('application-create', { body: { slug } }, refusal)
    }
    await admin.refuses(
      'application-create',
      { body: {} },
      { status: 400, code: 'request.missing-field', param: 'slug' },
    )
  }),
)
