import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an application subscribes to a product once',
  withAdmin(async (admin) => {
    await admin.call('subscription-create', { body: { application: 'shop', product: 'chat' } })
    const body = { application: 'shop', product: 'chat' }
    await admin.refuses('subscription-create', { body }, { status: 409, code: 'admin.conflict' })
  }),
)
