import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'model routes show every default filled in',
  withAdmin(async (admin) => {
    const [route] = (await admin.call('route-list')).body.items
    assert.deepEqual(route?.targets, [{ deployment: 'main', model: null, priority: 0, weight: 1 }])
    assert.deepEqual(route?.aliases, ['gpt-latest'])
  }),
)
