import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a plan of another organization is as good as absent',
  withAdmin(async (admin) => {
    const theirs = { params: { organization: 'globex' }, body: { slug: 'theirs' } }
    const plan = (await admin.call('plan-create', theirs)).body.id
    const body = { application: 'shop', product: 'chat' }
    const { id } = (await admin.call('subscription-create', { body })).body
    const absent = { status: 404, code: 'admin.not-found' }
    await admin.refuses('subscription-update', { params: { id }, body: { plan } }, absent)
    await admin.refuses('subscription-update', { params: { id }, body: { plan: 'theirs' } }, absent)
  }),
)
