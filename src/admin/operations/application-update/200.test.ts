import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'only the given fields change',
  withAdmin(async (admin) => {
    const params = { id: 'shop' }
    const before = (await admin.call('application-get', { params })).body
    admin.clock.advance(5)
    const after = (await admin.call('application-update', { params, body: { description: 'Sells.' } })).body
    assert.deepEqual(after, { ...before, description: 'Sells.', updatedAt: before.updatedAt + 5 })
  }),
)

test(
  'an application moves to another team',
  withAdmin(async (admin) => {
    const team = async (body: { team?: string }) =>
      (await admin.call('application-update', { params: { id: 'shop' }, body })).body.team
    assert.deepEqual(
      [await team({}), await team({ team: 'retail' }), await team({ team: '' })],
      ['', 'retail', ''],
    )
  }),
)
