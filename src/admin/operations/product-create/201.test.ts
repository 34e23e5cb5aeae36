import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new product is a draft of version 1',
  withAdmin(async (admin) => {
    const body = { slug: 'next', operations: ['chat.completions'], models: ['gpt*'] }
    const made = (await admin.call('product-create', { body })).body
    assert.deepEqual(
      { ...body, state: made.state, version: made.version },
      { ...body, state: 'draft', version: '1' },
    )
    assert.deepEqual((await admin.call('product-get', { params: { id: 'next' } })).body, made)
  }),
)
