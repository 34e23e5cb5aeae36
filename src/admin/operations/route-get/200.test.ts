import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a route is found by name, alias and id',
  withAdmin(async (admin) => {
    const byName = (await admin.call('route-get', { params: { id: 'gpt' } })).body
    for (const id of ['gpt-latest', byName.id]) {
      assert.deepEqual((await admin.call('route-get', { params: { id } })).body, byName)
    }
  }),
)
