import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a revision counts changes of what decides; a text that does not hold changes nothing',
  withAdmin(async (admin) => {
    const params = { id: 'all' }
    const cedar = 'permit (principal, action, resource);'
    await admin.call('policy-create', { body: { slug: 'all', cedar } })
    const update = async (body: object) => (await admin.call('policy-update', { params, body })).body
    assert.equal((await update({ description: 'everyone' })).revision, 1)
    assert.equal((await update({ enabled: false })).revision, 2)
    const expected = { status: 400, code: 'request.invalid-field', param: 'cedar' }
    await admin.refuses('policy-update', { params, body: { cedar: 'permit' } }, expected)
    const stored = (await admin.call('policy-get', { params })).body
    assert.deepEqual([stored.cedar, stored.revision], [cedar, 2])
  }),
)
