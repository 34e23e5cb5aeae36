import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a product with a subscription stays',
  withAdmin(async (admin) => {
    await admin.call('subscription-create', { body: { application: 'shop', product: 'chat' } })
    await admin.refuses('product-delete', { params: { id: 'chat' } }, { status: 409, code: 'admin.in-use' })
  }),
)
