import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a route from a document is changed in the document only',
  withAdmin(async (admin) => {
    await admin.call('config-apply', {
      body: {
        document:
          'organizations: [{ slug: byfile }]\ndeployments: [{ slug: d, provider: openai }]\nmodels: [{ name: m, targets: [{ deployment: d }] }]',
      },
    })
    const request = { params: { organization: 'byfile', id: 'm' } }
    const { body: refusal } = await admin.refuses('route-delete', request, {
      status: 409,
      code: 'admin.read-only',
    })
    assert.match(refusal.error.message, /gatewright\.yaml/)
  }),
)
