import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused',
  withAdmin(async (admin) => {
    const body = { name: 'g', detector: 'secrets', action: 'flag' }
    const made = (await admin.call('guard-create', { body })).body
    admin.clock.advance(10)
    await admin.call('guard-update', { params: { id: 'g' }, body: { action: 'mask' } })
    const late = { params: { id: 'g' }, body: { action: 'block', expectedUpdatedAt: made.updatedAt } }
    await admin.refuses('guard-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)
