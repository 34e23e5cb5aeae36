import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an application or product of another organization is as good as absent',
  withAdmin(async (admin) => {
    const absent = { status: 404, code: 'admin.not-found' }
    const theirs = {
      params: { organization: 'globex' },
      body: { slug: 'theirs', operations: [], models: [] },
    }
    const product = (await admin.call('product-create', theirs)).body.id
    await admin.refuses('subscription-create', { body: { application: 'shop', product } }, absent)
    await admin.refuses('subscription-create', { body: { application: 'nobody', product: 'chat' } }, absent)
  }),
)
