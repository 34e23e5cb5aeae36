import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused, and changes nothing',
  withAdmin(async (admin) => {
    const before = (await admin.call('application-get', { params: { id: 'shop' } })).body
    admin.clock.advance(10)
    await admin.call('application-update', { params: { id: 'shop' }, body: { name: 'New' } })
    const late = { params: { id: 'shop' }, body: { ...{ name: 'New' }, expectedUpdatedAt: before.updatedAt } }
    await admin.refuses('application-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)

test(
  'a application from a document is changed in the document only',
  withAdmin(async (admin) => {
    await admin.call('config-apply', {
      body: { document: 'organizations: [{ slug: byfile }]\napplications: [{ slug: one }]' },
    })
    const request = { params: { organization: 'byfile', id: 'one' }, body: { name: 'x' } }
    const { body: refusal } = await admin.refuses('application-update', request, {
      status: 409,
      code: 'admin.read-only',
    })
    assert.match(refusal.error.message, /gatewright\.yaml/)
  }),
)
