import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a subscription from a document is ended in the document only',
  withAdmin(async (admin) => {
    const document =
      'organizations: [{ slug: byfile }]\nproducts: [{ slug: p }]\napplications: [{ slug: a, products: [p] }]'
    await admin.call('config-apply', { body: { document } })
    const organization = 'byfile'
    const [only] = (await admin.call('subscription-list', { params: { organization } })).body.items
    const request = { params: { organization, id: only?.id ?? '' } }
    await admin.refuses('subscription-delete', request, { status: 409, code: 'admin.read-only' })
  }),
)
