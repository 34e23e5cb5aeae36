import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused',
  withAdmin(async (admin) => {
    const params = { id: 'all' }
    const body = { slug: 'all', cedar: 'permit (principal, action, resource);' }
    const made = (await admin.call('policy-create', { body })).body
    admin.clock.advance(10)
    await admin.call('policy-update', { params, body: { enabled: false } })
    const late = { params, body: { enabled: true, expectedUpdatedAt: made.updatedAt } }
    await admin.refuses('policy-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)
