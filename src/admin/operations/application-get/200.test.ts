import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an application is found by slug and by id',
  withAdmin(async (admin) => {
    const bySlug = (await admin.call('application-get', { params: { id: 'shop' } })).body
    assert.deepEqual((await admin.call('application-get', { params: { id: bySlug.id } })).body, bySlug)
  }),
)
