import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleFigures } from '../../harness/start-admin.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a limit is found by its name and by its id, with how often it came into play',
  withAdmin(async (admin) => {
    const body = { name: 'at-once', meter: 'concurrent-streams', amount: 5 }
    const made = (await admin.call('limit-create', { body })).body
    assert.equal(made.window, null)
    assert.deepEqual(made.figures, sampleFigures)
    for (const id of ['at-once', made.id]) {
      assert.deepEqual((await admin.call('limit-get', { params: { id } })).body, made)
    }
  }),
)
