import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused, and changes nothing',
  withAdmin(async (admin) => {
    const before = (await admin.call('product-get', { params: { id: 'chat' } })).body
    admin.clock.advance(10)
    await admin.call('product-update', { params: { id: 'chat' }, body: { version: '2' } })
    const late = {
      params: { id: 'chat' },
      body: { ...{ version: '2' }, expectedUpdatedAt: before.updatedAt },
    }
    await admin.refuses('product-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)
