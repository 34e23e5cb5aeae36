import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused',
  withAdmin(async (admin) => {
    const body = { name: 'rate', meter: 'requests', amount: 5, window: 'hour' }
    const made = (await admin.call('limit-create', { body })).body
    admin.clock.advance(10)
    await admin.call('limit-update', { params: { id: 'rate' }, body: { amount: 6 } })
    const late = { params: { id: 'rate' }, body: { amount: 7, expectedUpdatedAt: made.updatedAt } }
    await admin.refuses('limit-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)
