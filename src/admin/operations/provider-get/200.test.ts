import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a row is the same alone and in the list',
  withAdmin(async (admin) => {
    const { items } = (await admin.call('provider-list')).body
    const { body } = await admin.call('provider-get', { params: { id: 'openai' } })
    assert.deepEqual(
      body,
      items.find((row) => row.id === 'openai'),
    )
  }),
)
