import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a guard is found by its name and by its id',
  withAdmin(async (admin) => {
    const made = (
      await admin.call('guard-create', { body: { name: 'a', detector: 'secrets', action: 'flag' } })
    ).body
    for (const id of ['a', made.id])
      assert.deepEqual((await admin.call('guard-get', { params: { id } })).body, made)
  }),
)
