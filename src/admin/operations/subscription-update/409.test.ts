import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused',
  withAdmin(async (admin) => {
    const made = (await admin.call('subscription-create', { body: { application: 'shop', product: 'chat' } }))
      .body
    admin.clock.advance(10)
    await admin.call('subscription-update', { params: { id: made.id }, body: { state: 'paused' } })
    const late = { params: { id: made.id }, body: { state: 'revoked', expectedUpdatedAt: made.updatedAt } }
    await admin.refuses('subscription-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)
