import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a pattern has one star, at its end',
  withAdmin(async (admin) => {
    for (const model of ['*gpt', 'a*b', '**', '']) {
      const body = { slug: 'next', operations: ['*'], models: [model] }
      await admin.refuses(
        'product-create',
        { body },
        { status: 400, code: 'request.invalid-field', param: 'models[0]' },
      )
    }
  }),
)
