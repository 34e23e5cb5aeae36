import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused',
  withAdmin(async (admin) => {
    const made = (await admin.call('plan-create', { body: { slug: 'team' } })).body
    admin.clock.advance(10)
    await admin.call('plan-update', { params: { id: 'team' }, body: { weight: 2 } })
    const late = { params: { id: 'team' }, body: { weight: 3, expectedUpdatedAt: made.updatedAt } }
    await admin.refuses('plan-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)

test(
  'a plan from a document is changed in the document only',
  withAdmin(async (admin) => {
    const document = 'organizations: [{ slug: byfile }]\nplans: [{ slug: team }]'
    await admin.call('config-apply', { body: { document } })
    const request = { params: { organization: 'byfile', id: 'team' }, body: { weight: 2 } }
    await admin.refuses('plan-update', request, { status: 409, code: 'admin.read-only' })
  }),
)
