import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused, and changes nothing',
  withAdmin(async (admin) => {
    const before = (await admin.call('organization-get', { params: {} })).body
    admin.clock.advance(10)
    await admin.call('organization-update', { params: {}, body: { name: 'New' } })
    const late = { params: {}, body: { ...{ name: 'New' }, expectedUpdatedAt: before.updatedAt } }
    await admin.refuses('organization-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)

test(
  'a organization from a document is changed in the document only',
  withAdmin(async (admin) => {
    await admin.call('config-apply', { body: { document: 'organizations: [{ slug: byfile }]' } })
    const request = { params: { organization: 'byfile' }, body: { name: 'x' } }
    const { body: refusal } = await admin.refuses('organization-update', request, {
      status: 409,
      code: 'admin.read-only',
    })
    assert.match(refusal.error.message, /gatewright\.yaml/)
  }),
)
