import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a subscription names its application and product by id',
  withAdmin(async (admin) => {
    const made = (await admin.call('subscription-create', { body: { application: 'shop', product: 'chat' } }))
      .body
    assert.deepEqual((await admin.call('subscription-get', { params: { id: made.id } })).body, made)
    const application = (await admin.call('application-get', { params: { id: 'shop' } })).body
    assert.equal(made.applicationId, application.id)
  }),
)
