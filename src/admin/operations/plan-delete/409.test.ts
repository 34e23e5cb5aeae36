import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a plan that a subscription has stays',
  withAdmin(async (admin) => {
    await admin.call('plan-create', { body: { slug: 'team' } })
    const body = { application: 'shop', product: 'chat', plan: 'team' }
    await admin.call('subscription-create', { body })
    await admin.refuses('plan-delete', { params: { id: 'team' } }, { status: 409, code: 'admin.in-use' })
  }),
)
