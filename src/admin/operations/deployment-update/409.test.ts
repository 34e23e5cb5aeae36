import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused, and changes nothing',
  withAdmin(async (admin) => {
    const before = (await admin.call('deployment-get', { params: { id: 'main' } })).body
    admin.clock.advance(10)
    await admin.call('deployment-update', { params: { id: 'main' }, body: { enabled: false } })
    const late = {
      params: { id: 'main' },
      body: { ...{ enabled: false }, expectedUpdatedAt: before.updatedAt },
    }
    await admin.refuses('deployment-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)

test(
  'a deployment from a document is changed in the document only',
  withAdmin(async (admin) => {
    await admin.call('config-apply', {
      body: {
        document:
          'organizations: [{ slug: byfile }]\ndeployments: [{ slug: d, provider: openai }]\nmodels: [{ name: m, targets: [{ deployment: d }] }]',
      },
    })
    const request = { params: { organization: 'byfile', id: 'd' }, body: { enabled: false } }
    const { body: refusal } = await admin.refuses('deployment-update', request, {
      status: 409,
      code: 'admin.read-only',
    })
    assert.match(refusal.error.message, /gatewright\.yaml/)
  }),
)
