import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a change on top of an unseen change is refused, and changes nothing',
  withAdmin(async (admin) => {
    const before = (await admin.call('route-get', { params: { id: 'gpt' } })).body
    admin.clock.advance(10)
    await admin.call('route-update', { params: { id: 'gpt' }, body: { description: 'x' } })
    const late = {
      params: { id: 'gpt' },
      body: { ...{ description: 'x' }, expectedUpdatedAt: before.updatedAt },
    }
    await admin.refuses('route-update', late, { status: 409, code: 'admin.stale-update' })
  }),
)

test(
  'an alias that another route has is refused',
  withAdmin(async (admin) => {
    await admin.call('route-create', { body: { name: 'other', targets: [{ deployment: 'main' }] } })
    const request = { params: { id: 'other' }, body: { aliases: ['gpt'] } }
    await admin.refuses('route-update', request, { status: 409, code: 'admin.conflict' })
  }),
)
